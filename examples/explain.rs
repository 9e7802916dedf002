//! Explains a picture with a model: `cargo run --release --example explain -- MODEL.onnx PICTURE [METHOD] [OUT.png]`.

use std::fs;

use pellucid::{Display, Options, Picture, Request, Session, attribution::Silent, render};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, picture, rest @ ..] = arguments.as_slice() else {
        return Err("usage: explain MODEL.onnx PICTURE [METHOD] [OUT.png]".into());
    };
    let method = rest.first().map_or("grad-cam", String::as_str);
    let output = rest.get(1).map_or("explanation.png", String::as_str);
    pollster::block_on(async {
        let mut session = Session::open(&fs::read(model)?, Options::default()).await?;
        let (seen, image) = session.see(&Picture::decode(&fs::read(picture)?)?)?;
        for class in session.classify(&image).await?.iter().take(5) {
            println!("{:8.3}  {}", class.logit, class.target.label);
        }
        let request = Request { method: method.into(), ..Request::default() };
        let explanation = session.explain(&image, &request, &mut Silent).await?;
        let Some(explained) = explanation.targets.first() else { return Ok(()) };
        let drawn = render::render_map(&explained.map, &seen, &Display::for_map(true, false))?;
        fs::write(output, render::write_png(&drawn)?)?;
        println!("{method} of {}: {output}", explained.class.target.label);
        Ok(())
    })
}
