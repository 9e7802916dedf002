//! A small static server for the page, on this machine only.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use anyhow::{Result, anyhow};
use tiny_http::{Header, Method, Request, Response, Server};

/// Enough for a page with a few workers; requests are short.
const THREADS: usize = 4;

/// Folders, and under which first part of a path they are served; the one under "" has the rest.
pub type Site = Vec<(&'static str, PathBuf)>;

/// Serves a site until the program is stopped.
pub fn forever(site: Site, port: u16) -> Result<()> {
    let (server, url) = listen(port)?;
    println!("Pellucid is at {url}  (Ctrl+C stops it)");
    for worker in start(server, site) {
        // A worker ends only with the program.
        let _ = worker.join();
    }
    Ok(())
}

/// Serves a site on a free port for as long as this program runs; returns its address, with a slash at the end.
pub fn background(site: Site) -> Result<String> {
    let (server, url) = listen(0)?;
    start(server, site);
    Ok(url)
}

fn start(server: Server, site: Site) -> Vec<JoinHandle<()>> {
    let shared = Arc::new((server, site));
    let answer = |shared: Arc<(Server, Site)>| {
        for request in shared.0.incoming_requests() {
            // The browser has gone: nobody is left to tell.
            let _ = respond(request, &shared.1);
        }
    };
    (0..THREADS).map(|_| Arc::clone(&shared)).map(|shared| thread::spawn(move || answer(shared))).collect()
}

fn listen(port: u16) -> Result<(Server, String)> {
    let server = Server::http(("127.0.0.1", port))
        .map_err(|error| anyhow!("cannot listen on port {port}: {error}; choose another with --port"))?;
    let address = server.server_addr().to_ip().ok_or_else(|| anyhow!("the server has no address"))?;
    Ok((server, format!("http://{address}/")))
}

fn respond(request: Request, site: &Site) -> std::io::Result<()> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return request.respond(Response::empty(405));
    }
    let Some(path) = local_path(site, request.url()) else {
        return request.respond(Response::empty(400));
    };
    let path = if path.is_dir() { path.join("index.html") } else { path };
    match File::open(&path) {
        Ok(file) => {
            let mut response = Response::from_file(file);
            let headers = [("Content-Type", content_type(&path)), ("Cache-Control", "no-cache")];
            for (name, value) in headers {
                if let Ok(header) = Header::from_bytes(name, value) {
                    response.add_header(header);
                }
            }
            request.respond(response)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            request.respond(Response::from_string("Not found\n").with_status_code(404))
        }
        Err(_) => request.respond(Response::empty(500)),
    }
}

/// The file that a request asks for; none if it would lie outside the site's folders.
fn local_path(site: &Site, url: &str) -> Option<PathBuf> {
    let path = url.split(['?', '#']).next()?.strip_prefix('/')?;
    let path = PathBuf::from(percent_decode(path)?);
    let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    if !is_inside {
        return None;
    }
    let under = |(prefix, folder): &(&str, PathBuf)| Some(folder.join(path.strip_prefix(prefix).ok()?));
    site.iter().find_map(under)
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
    }
    String::from_utf8(bytes).ok()
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|ext| ext.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "txt" | "md" | "ts" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_stay_inside_the_folders() {
        let site = vec![("peers", PathBuf::from("node_modules")), ("", PathBuf::from("dist"))];
        let at = |url| local_path(&site, url);
        assert_eq!(at("/"), Some(PathBuf::from("dist/")));
        assert_eq!(at("/www/app.js?v=1"), Some(PathBuf::from("dist/www/app.js")));
        assert_eq!(at("/a%20b.png"), Some(PathBuf::from("dist/a b.png")));
        assert_eq!(at("/peers/x/y.js"), Some(PathBuf::from("node_modules/x/y.js")));
        for outside in
            ["/../Cargo.toml", "/www/%2e%2e/%2e%2e/x", "//etc/passwd", "/%2fetc/passwd", "/%zz", "*"]
        {
            assert_eq!(at(outside), None, "{outside}");
        }
    }

    #[test]
    fn webassembly_has_the_type_that_streaming_needs() {
        assert_eq!(content_type(Path::new("www/pkg/pellucid_bg.wasm")), "application/wasm");
    }
}
