//! Charts of deciles as PNG and SVG, both from one drawing (actions.md 6.4).
//! The same deciles give the same bytes on every machine.

mod axis;
mod build;
mod describe;
mod drawing;
mod font;
mod png;
mod raster;
mod svg;
#[cfg(test)]
mod tests;

use super::config::{Format, Labels};
use super::table::Deciles;
use drawing::Drawing;
use font::Font;

/// Draws charts; what they need is made ready once.
pub(super) struct Artist {
    font: Font,
    /// Ticks of short spans are called by their month, as in the original.
    month_names: bool,
    /// The tables are made too.
    tables: bool,
}

/// A chart before it has a format.
pub(super) struct Chart(Drawing);

impl Artist {
    pub(super) fn new(month_names: bool, tables: bool) -> Self {
        Self { font: Font::new(), month_names, tables }
    }

    pub(super) fn draw(&self, deciles: &Deciles, labels: &Labels) -> Chart {
        Chart(build::build(deciles, labels, self.month_names, self.tables, &self.font))
    }

    /// The bytes of a chart's file.
    pub(super) fn render(&self, chart: &Chart, format: Format) -> std::io::Result<Vec<u8>> {
        match format {
            Format::Svg => Ok(svg::render(&chart.0).into_bytes()),
            Format::Png => {
                let pixels = raster::render(&chart.0, &self.font);
                let pixels = pixels.ok_or_else(|| std::io::Error::other("the canvas of the chart is too large"))?;
                png::render(&chart.0, &pixels).map_err(std::io::Error::other)
            }
        }
    }
}
