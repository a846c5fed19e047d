//! The files that pages load: one style sheet, one script, the icons. Their names hold a hash of their content,
//! so that browsers may keep them for ever (spec site.md 14, 18).

use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// The folder under which a site serves these files.
pub const FOLDER: &str = "/static/";

/// One file.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Name with hash, such as `style.1f2e3d4c.css`; also its ETag.
    pub name: &'static str,
    /// Value of `Content-Type`.
    pub media_type: &'static str,
    /// Content.
    pub bytes: &'static [u8],
}

struct Files {
    style: Asset,
    script: Asset,
    icons: Asset,
    mark: Asset,
    style_path: String,
    script_path: String,
    icons_path: String,
    mark_path: String,
}

static FILES: LazyLock<Files> = LazyLock::new(|| {
    let style = asset("style", "css", "text/css; charset=utf-8", include_bytes!("../assets/style.css"));
    let script = asset("live", "js", "text/javascript; charset=utf-8", include_bytes!("../assets/live.js"));
    let icons = asset("i", "svg", "image/svg+xml", include_bytes!("../assets/icons.svg"));
    let mark = asset("mark", "svg", "image/svg+xml", include_bytes!("../assets/mark.svg"));
    let path = |file: &Asset| format!("{FOLDER}{}", file.name);
    Files {
        style_path: path(&style),
        script_path: path(&script),
        icons_path: path(&icons),
        mark_path: path(&mark),
        style,
        script,
        icons,
        mark,
    }
});

fn asset(stem: &str, extension: &str, media_type: &'static str, bytes: &'static [u8]) -> Asset {
    let hash = HEXLOWER.encode(&Sha256::digest(bytes)[..4]);
    // Once for the life of the program.
    Asset { name: String::leak(format!("{stem}.{hash}.{extension}")), media_type, bytes }
}

/// All files.
pub fn all() -> [Asset; 4] {
    [FILES.style, FILES.script, FILES.icons, FILES.mark]
}

/// The file of this name (without the folder), if there is one.
pub fn find(name: &str) -> Option<Asset> {
    all().into_iter().find(|file| file.name == name)
}

/// Path of the style sheet.
pub fn style() -> &'static str {
    &FILES.style_path
}

/// Path of the script.
pub fn script() -> &'static str {
    &FILES.script_path
}

/// Path of the icons; `#NAME` behind it names one.
pub fn icons() -> &'static str {
    &FILES.icons_path
}

/// Path of the mark that browsers show beside the title.
pub fn mark() -> &'static str {
    &FILES.mark_path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_small_and_found_by_their_name() {
        assert!(FILES.style.bytes.len() <= 20_000, "style: {}", FILES.style.bytes.len());
        assert!(FILES.script.bytes.len() <= 6_000, "script: {}", FILES.script.bytes.len());
        for file in all() {
            assert_eq!(find(file.name).map(|f| f.bytes), Some(file.bytes));
            let hash = HEXLOWER.encode(&Sha256::digest(file.bytes));
            assert!(file.name.contains(&hash[..8]));
        }
        assert!(find("style.css").is_none() && find("../style.css").is_none());
    }

    #[test]
    fn nothing_comes_from_elsewhere() {
        for file in all() {
            let text = std::str::from_utf8(file.bytes).unwrap().replace("http://www.w3.org/2000/svg", "");
            for reach in ["http:", "https:", "@import", "eval(", "url(\"", "url('", "//cdn"] {
                assert!(!text.contains(reach), "{} reaches out: {reach}", file.name);
            }
        }
    }
}
