//! A small static server for the page, on this machine only.

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use oxhttp::model::header::{CACHE_CONTROL, CONTENT_TYPE};
use oxhttp::model::{Body, HeaderValue, Method, Request, Response, StatusCode};
use oxhttp::{ListeningServer, Server};

/// Folders, and under which first part of a path they are served; the one under "" has the rest.
pub type Site = Vec<(&'static str, PathBuf)>;

/// Serves a site until the program is stopped.
pub fn forever(site: Site, port: u16) -> Result<()> {
    let (server, url) = start(site, port)?;
    println!("Pellucid is at {url}  (Ctrl+C stops it)");
    Ok(server.join()?)
}

/// Serves a site on a free port for as long as this program runs; returns its address, with a slash at the end.
pub fn background(site: Site) -> Result<String> {
    Ok(start(site, 0)?.1)
}

/// Each connection has a thread of its own: a browser opens several at once and keeps them, used or not, and none may
/// wait for another to end.
fn start(site: Site, port: u16) -> Result<(ListeningServer, String)> {
    let listens = || format!("cannot listen on port {port}; choose another with --port");
    let port = match port {
        0 => TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|free| free.local_addr())
            .with_context(listens)?
            .port(),
        port => port,
    };
    let server = Server::new(move |request| respond(request, &site)).bind((Ipv4Addr::LOCALHOST, port));
    Ok((server.spawn().with_context(listens)?, format!("http://127.0.0.1:{port}/")))
}

fn respond(request: &Request<Body>, site: &Site) -> Response<Body> {
    if request.method() != Method::GET {
        return text(StatusCode::METHOD_NOT_ALLOWED, "Only GET is answered\n");
    }
    let Some(path) = local_path(site, request.uri().path()) else {
        return text(StatusCode::BAD_REQUEST, "No such path\n");
    };
    let path = if path.is_dir() { path.join("index.html") } else { path };
    match fs::read(&path) {
        Ok(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(&path)));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            response
        }
        Err(error) if error.kind() == ErrorKind::NotFound => text(StatusCode::NOT_FOUND, "Not found\n"),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "The file cannot be read\n"),
    }
}

fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}

/// The file that a request asks for; none if it would lie outside the site's folders.
fn local_path(site: &Site, path: &str) -> Option<PathBuf> {
    let path = path.strip_prefix('/')?;
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
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::time::Duration;

    use super::*;

    #[test]
    fn requests_stay_inside_the_folders() {
        let site = vec![("peers", PathBuf::from("node_modules")), ("", PathBuf::from("dist"))];
        let at = |path| local_path(&site, path);
        assert_eq!(at("/"), Some(PathBuf::from("dist/")));
        assert_eq!(at("/www/page/app.js"), Some(PathBuf::from("dist/www/page/app.js")));
        assert_eq!(at("/a%20b.png"), Some(PathBuf::from("dist/a b.png")));
        assert_eq!(at("/peers/x/y.js"), Some(PathBuf::from("node_modules/x/y.js")));
        for outside in
            ["/../Cargo.toml", "/www/%2e%2e/%2e%2e/x", "//etc/passwd", "/%2fetc/passwd", "/%zz", "*"]
        {
            assert_eq!(at(outside), None, "{outside}");
        }
    }

    /// However many connections are open and say nothing, another is answered.
    #[test]
    fn connections_do_not_wait_for_each_other() {
        let dist = vec![("", PathBuf::from(env!("CARGO_MANIFEST_DIR")))];
        let url = background(dist).unwrap();
        let address = url.trim_start_matches("http://").trim_end_matches('/');
        let connect = || TcpStream::connect(address).unwrap();
        let _idle: Vec<TcpStream> = (0..40).map(|_| connect()).collect();
        let mut stream = connect();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
            .write_all(b"GET /Cargo.toml HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with(include_str!("../Cargo.toml")),
            "{answer}"
        );
    }

    #[test]
    fn webassembly_has_the_type_that_streaming_needs() {
        assert_eq!(content_type(Path::new("www/pkg/pellucid_bg.wasm")), "application/wasm");
    }
}
