//! `--picture FILE`: a picture of what came of an answer.
use std::fs;
use std::path::Path;

use super::{Failure, Format, Session, path_failed};
use crate::lang::Lang;
use crate::picture::terminal::Protocol;
use crate::picture::{Picture, dot, mermaid, png, svg, terminal};
use crate::report::terminal::COLUMNS;
use crate::report::text::{Message, say};

/// Where a picture goes and in which format.
#[derive(Clone, Copy)]
enum Target {
    Svg,
    Png,
    Dot,
    Mermaid,
    Terminal,
}

fn target(session: &Session<'_>, path: &Path) -> Result<Target, Failure> {
    if path.as_os_str() == "-" {
        return match session.format {
            Format::Text => Ok(Target::Terminal),
            _ => Err(Failure::usage(say(session.lang, &Message::PictureBesideData))),
        };
    }
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "svg" => Ok(Target::Svg),
        "png" => Ok(Target::Png),
        "dot" | "gv" => Ok(Target::Dot),
        "mermaid" | "mmd" => Ok(Target::Mermaid),
        _ => Err(Failure::usage(say(session.lang, &Message::PictureFormat { file: &path.display().to_string() }))),
    }
}

/// Says at once if a picture cannot be made in the format its file's name asks for.
///
/// # Errors
/// When there is no such format.
pub(super) fn check(session: &Session<'_>, path: Option<&Path>) -> Result<(), Failure> {
    path.map_or(Ok(()), |path| target(session, path).map(|_| ()))
}

/// Writes a picture, made in the language it is asked for, in the format its file's name asks for.
///
/// # Errors
/// When there is no such format or the file cannot be written.
pub(super) fn write(session: &mut Session<'_>, path: &Path, picture: &dyn Fn(Lang) -> Picture) -> Result<(), Failure> {
    let png = |lang| png::document(&picture(lang)).map_err(Failure::usage);
    let bytes = match target(session, path)? {
        Target::Svg => svg::document(&picture(session.lang)).into_bytes(),
        Target::Dot => dot::document(&picture(session.lang)).into_bytes(),
        Target::Mermaid => mermaid::document(&picture(session.lang)).into_bytes(),
        // its font has no Chinese
        Target::Png => png(Lang::En)?,
        Target::Terminal => {
            let stdout = anstream::stdout();
            let colours = stdout.is_terminal() && stdout.current_choice() != anstream::ColorChoice::Never;
            let text = match Protocol::of(&|name| std::env::var(name).ok()).filter(|_| colours) {
                Some(protocol) => protocol.show(&png(Lang::En)?),
                None => terminal::tree(&picture(session.lang), COLUMNS),
            };
            return writeln!(session.out, "\n{}", text.trim_end()).map_err(Failure::from);
        }
    };
    fs::write(path, bytes).map_err(|error| Failure::usage(path_failed(path, &error, session.lang)))
}
