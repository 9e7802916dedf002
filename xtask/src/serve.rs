//! A small static server for the page, on this machine only. It sends what `cargo xtask build` has compressed, as a good
//! host does.

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::thread::JoinHandle;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, anyhow};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::http::{self, Request, Response};

/// Folders, and under which first part of a path they are served; the one under "" has the rest.
pub type Site = Vec<(&'static str, PathBuf)>;

/// Serves a site until the program is stopped.
pub fn forever(site: Site, port: u16) -> Result<()> {
    let (server, url) = start(site, port)?;
    println!("Pellucid is at {url}  (Ctrl+C stops it)");
    server.join().map_err(|_| anyhow!("the server failed"))
}

/// Serves a site on a free port for as long as this program runs; returns its address, with a slash at the end.
pub fn background(site: Site) -> Result<String> {
    Ok(start(site, 0)?.1)
}

fn start(site: Site, port: u16) -> Result<(JoinHandle<()>, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .with_context(|| format!("cannot listen on port {port}; choose another with --port"))?;
    let url = format!("http://{}/", listener.local_addr()?);
    Ok((http::serve(listener, move |request| respond(request, &site)), url))
}

fn respond(request: &Request, site: &Site) -> Response {
    if !["GET", "HEAD"].contains(&&*request.method) {
        return text(405, "Only GET and HEAD are answered\n").with("Allow", "GET, HEAD");
    }
    let Some(path) = local_path(site, &request.target) else {
        return text(400, "No such path\n");
    };
    let path = if path.is_dir() { path.join("index.html") } else { path };
    match file(request, &path) {
        Ok(response) => response,
        Err(error) if error.kind() == ErrorKind::NotFound => text(404, "Not found\n"),
        Err(_) => text(500, "The file cannot be read\n"),
    }
}

fn text(status: u16, text: &str) -> Response {
    Response::new(status, text).with("Content-Type", "text/plain; charset=utf-8")
}

/// A file, or the part of it that is asked for; compressed where the browser takes that, and not at all where the browser
/// has it.
fn file(request: &Request, path: &Path) -> std::io::Result<Response> {
    let range = request.header("range");
    let accepted = if range.is_some() { None } else { request.header("accept-encoding") };
    let (sent, encoding) = best(path, accepted);
    let tag = entity_tag(&sent)?;
    let response = if request.header("if-none-match") == Some(&tag) {
        Response::new(304, [])
    } else {
        part_of(fs::read(&sent)?, range)
    };
    let response = response
        .with("Content-Type", content_type(path))
        .with("Cache-Control", "no-cache")
        .with("Accept-Ranges", "bytes")
        .with("Vary", "Accept-Encoding")
        .with("ETag", tag);
    Ok(encoding.into_iter().fold(response, |response, name| response.with("Content-Encoding", name)))
}

fn part_of(whole: Vec<u8>, range: Option<&str>) -> Response {
    let Some(Range { start, end }) = range.and_then(|range| bytes(range, whole.len())) else {
        return Response::new(200, whole);
    };
    let extent = format!("bytes {start}-{}/{}", end - 1, whole.len());
    Response::new(206, &whole[start..end]).with("Content-Range", extent)
}

/// The compressed file beside this one that the browser takes, and the name of its encoding; else the file itself.
fn best(path: &Path, accepted: Option<&str>) -> (PathBuf, Option<&'static str>) {
    let names: Vec<&str> = accepted
        .unwrap_or_default()
        .split(',')
        .filter_map(|part| part.split(';').next())
        .map(str::trim)
        .collect();
    for (name, ending) in [("br", "br"), ("gzip", "gz")] {
        let beside = PathBuf::from(format!("{}.{ending}", path.display()));
        if names.contains(&name) && beside.is_file() {
            return (beside, Some(name));
        }
    }
    (path.to_path_buf(), None)
}

/// Changes whenever the file does.
fn entity_tag(path: &Path) -> std::io::Result<String> {
    let facts = fs::metadata(path)?;
    let since = facts.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let ending = path.extension().unwrap_or_default().display();
    Ok(format!("\"{:x}-{:x}-{ending}\"", facts.len(), since.as_nanos()))
}

/// The one range that `bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-LENGTH` asks for; none where it is another form or
/// asks for nothing of the file, which is then sent whole.
fn bytes(range: &str, length: usize) -> Option<Range<usize>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let range = match (first.trim(), last.trim()) {
        ("", last) => length.saturating_sub(last.parse().ok()?)..length,
        (first, "") => first.parse().ok()?..length,
        (first, last) => first.parse().ok()?..last.parse::<usize>().ok()?.saturating_add(1).min(length),
    };
    (range.start < range.end).then_some(range)
}

/// The file that a request asks for; none if it would lie outside the site's folders. The address is read as browsers do,
/// so `..` leads nowhere.
fn local_path(site: &Site, target: &str) -> Option<PathBuf> {
    let url = Url::parse("http://localhost/").ok()?.join(target.strip_prefix('/')?).ok()?;
    let mut path = PathBuf::new();
    for segment in url.path_segments()? {
        let segment = percent_decode_str(segment).decode_utf8().ok()?;
        let mut parts = Path::new(&*segment).components();
        match (parts.next(), parts.next()) {
            (None, None) => {}
            (Some(Component::Normal(name)), None) if name == &*segment => path.push(name),
            _ => return None,
        }
    }
    let under = |(prefix, folder): &(&str, PathBuf)| Some(folder.join(path.strip_prefix(prefix).ok()?));
    site.iter().find_map(under)
}

pub fn content_type(path: &Path) -> &'static str {
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
    use std::sync::atomic::{AtomicUsize, Ordering};
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
        assert_eq!(at("/www/page/app.js?v=1#top"), Some(PathBuf::from("dist/www/page/app.js")));
        assert_eq!(at("/../Cargo.toml"), Some(PathBuf::from("dist/Cargo.toml")));
        assert_eq!(at("/www/%2e%2e/%2e%2e/x"), Some(PathBuf::from("dist/x")));
        for outside in ["/%2fetc/passwd", "/www/..%2f..%2fx", "/a%00%ff", "//etc/passwd", "http://a/b", "*"] {
            let path = at(outside);
            assert!(path.is_none_or(|path| path.starts_with("dist") && !path.display().to_string().contains("..")), "{outside}");
        }
        assert_eq!(at("/%2fetc/passwd"), None);
        assert_eq!(at("/www/..%2f..%2fx"), None);
        assert_eq!(at("*"), None);
    }

    /// However many connections are open and say nothing, another is answered.
    #[test]
    fn connections_do_not_wait_for_each_other() {
        let dist = vec![("", PathBuf::from(env!("CARGO_MANIFEST_DIR")))];
        let url = background(dist).unwrap();
        let address = url.trim_start_matches("http://").trim_end_matches('/');
        let connect = || TcpStream::connect(address).unwrap();
        let _idle: Vec<TcpStream> = (0..40).map(|_| connect()).collect();
        let (head, body) = ask(connect(), "GET", "/Cargo.toml", "");
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
        assert_eq!(body, include_str!("../Cargo.toml"));
    }

    /// Asks once and reads to the end.
    fn ask(mut stream: TcpStream, method: &str, path: &str, headers: &str) -> (String, String) {
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_string(), body.to_string())
    }

    /// A site of one file, with other bytes beside it that stand for its compressed forms.
    fn served() -> (impl Fn(&str, &str, &str) -> (String, String), PathBuf) {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("pellucid-serve-{}-{number}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        for (name, text) in [("a.js", "0123456789"), ("a.js.br", "brotli"), ("a.js.gz", "gz"), ("b.js", "b")]
        {
            fs::write(dir.join(name), text).unwrap();
        }
        let url = background(vec![("", dir.clone())]).unwrap();
        let address = url.trim_start_matches("http://").trim_end_matches('/').to_string();
        let ask = move |method: &str, path: &str, headers: &str| {
            ask(TcpStream::connect(&address).unwrap(), method, path, headers)
        };
        (ask, dir)
    }

    #[test]
    fn head_has_the_headers_of_get_and_no_body() {
        let (ask, dir) = served();
        let (head, body) = ask("HEAD", "/a.js", "");
        assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("Content-Length: 10"), "{head}");
        assert!(head.contains("Content-Type: text/javascript") && body.is_empty(), "{head}");
        assert!(ask("HEAD", "/none.js", "").0.starts_with("HTTP/1.1 404"));
        assert!(ask("POST", "/a.js", "Content-Length: 0\r\n").0.starts_with("HTTP/1.1 405"));
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn what_is_compressed_is_sent_to_whom_it_suits() {
        let (ask, dir) = served();
        for (accepted, encoding, bytes) in [
            ("gzip, deflate, br", Some("br"), "brotli"),
            ("gzip;q=1.0", Some("gzip"), "gz"),
            ("brand-new", None, "0123456789"),
        ] {
            let (head, body) = ask("GET", "/a.js", &format!("Accept-Encoding: {accepted}\r\n"));
            assert_eq!(body, bytes, "{accepted}");
            let found = head.lines().find_map(|line| line.strip_prefix("Content-Encoding: "));
            assert_eq!(found, encoding, "{accepted}");
            assert!(
                head.contains("Content-Type: text/javascript") && head.contains("Vary: Accept-Encoding"),
                "{head}"
            );
        }
        assert_eq!(ask("GET", "/b.js", "Accept-Encoding: br\r\n").1, "b", "nothing is beside it");
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_part_is_sent_where_a_part_is_asked_for() {
        let (ask, dir) = served();
        for (range, part, extent) in [
            ("2-4", "234", "2-4/10"),
            ("7-", "789", "7-9/10"),
            ("-2", "89", "8-9/10"),
            ("8-99", "89", "8-9/10"),
        ] {
            let (head, body) =
                ask("GET", "/a.js", &format!("Range: bytes={range}\r\nAccept-Encoding: br\r\n"));
            assert!(head.starts_with("HTTP/1.1 206"), "{range}: {head}");
            assert!(head.contains(&format!("Content-Range: bytes {extent}")), "{range}: {head}");
            assert_eq!(body, part, "{range}");
        }
        for nonsense in ["bytes=9-3", "bytes=99-", "bytes=1-2,4-5", "lines=1-2", "bytes=-0"] {
            assert_eq!(ask("GET", "/a.js", &format!("Range: {nonsense}\r\n")).1, "0123456789", "{nonsense}");
        }
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn what_the_browser_has_is_not_sent_again() {
        let (ask, dir) = served();
        let (head, _) = ask("GET", "/a.js", "");
        let tag = head.lines().find_map(|line| line.strip_prefix("ETag: ")).unwrap().to_string();
        let known = format!("If-None-Match: {tag}\r\n");
        let (head, body) = ask("GET", "/a.js", &known);
        assert!(head.starts_with("HTTP/1.1 304") && body.is_empty(), "{head}");
        fs::write(dir.join("a.js"), "another").unwrap();
        assert_eq!(ask("GET", "/a.js", &known).1, "another");
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn webassembly_has_the_type_that_streaming_needs() {
        assert_eq!(content_type(Path::new("www/pkg/pellucid_bg.wasm")), "application/wasm");
    }
}
