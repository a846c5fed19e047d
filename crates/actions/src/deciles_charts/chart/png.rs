//! Pixels as a PNG file: 8 bits a colour, with title and description, without time, machine or path (actions.md 6.4).
//! The compression is the encoder's own, whose bytes do not depend on the processor.

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, PixelDimensions, Unit};

use super::drawing::Drawing;

/// 100 pixels to the inch, in pixels to the metre.
const DENSITY: u32 = 3937;

/// The bytes of the file.
pub(super) fn render(drawing: &Drawing, pixels: &[u8]) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, drawing.width, drawing.height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    encoder.set_pixel_dims(Some(PixelDimensions { xppu: DENSITY, yppu: DENSITY, unit: Unit::Meter }));
    for (keyword, text) in [("Title", &drawing.title), ("Description", &drawing.description)] {
        match text.is_ascii() {
            true => encoder.add_text_chunk(keyword.to_owned(), text.clone())?,
            false => encoder.add_itxt_chunk(keyword.to_owned(), text.clone())?,
        }
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}
