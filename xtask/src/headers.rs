//! A `_headers` file, for the hosts that read one (Netlify, Cloudflare Pages and others): the page works without it.

use anyhow::{Context, Result};

/// How long a browser may use a file without asking: it always asks. A file that has not changed costs one short answer.
const CACHE: &str = "Cache-Control: no-cache";

/// The headers that suit the page whose HTML this is. The policy is that of its `<meta>`; as a header it stands for the
/// page alone, not for files that are opened by themselves.
pub fn headers(index: &str) -> Result<String> {
    let policy = policy(index)?;
    let rules: [(&str, &[&str]); 6] = [
        ("/", &[&format!("Content-Security-Policy: {policy}")]),
        ("/index.html", &[&format!("Content-Security-Policy: {policy}")]),
        // Pages elsewhere may use the engine.
        ("/*", &["X-Content-Type-Options: nosniff", "Access-Control-Allow-Origin: *", CACHE]),
        ("/*.wasm", &["Content-Type: application/wasm"]),
        ("/*.onnx", &["Content-Type: application/octet-stream"]),
        ("/*.webmanifest", &["Content-Type: application/manifest+json"]),
    ];
    let rule = |(path, lines): &(&str, &[&str])| {
        let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
        format!("{path}\n{lines}")
    };
    Ok(rules.iter().map(rule).collect())
}

/// The content security policy in the page's `<meta>`.
pub fn policy(index: &str) -> Result<&str> {
    let (_, rest) = index
        .split_once("http-equiv=\"Content-Security-Policy\" content=\"")
        .context("index.html has no content security policy")?;
    Ok(rest.split_once('"').context("the policy of index.html does not end")?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_the_one_of_the_page() -> Result<()> {
        let index = include_str!("../../index.html");
        let headers = headers(index)?;
        let policy = policy(index)?;
        assert!(policy.starts_with("default-src 'none'; ") && policy.contains("trusted-types"), "{policy}");
        for path in ["/", "/index.html"] {
            assert!(headers.contains(&format!("{path}\n  Content-Security-Policy: {policy}\n")), "{path}");
        }
        assert!(headers.contains("/*.wasm\n  Content-Type: application/wasm\n"), "{headers}");
        assert!(policy.len() < 2000, "hosts cut long lines");
        Ok(())
    }

    #[test]
    fn a_page_without_a_policy_is_refused() {
        assert!(headers("<html>").is_err());
    }
}
