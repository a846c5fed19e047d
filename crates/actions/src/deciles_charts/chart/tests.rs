//! Geometry, colours, words and bytes of charts, measured on the drawing, the SVG text and the decoded PNG.
//! Expected places come from the rules of actions.md 6.4, written here a second time.

use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::drawing::{Drawing, Item, Point, Words};
use super::*;
use crate::deciles_charts::percentiles;

/// Months from January 2019 on; deciles that rise with label and time.
fn months(count: i32, outer: bool) -> Deciles {
    let dates: Vec<Date> =
        (0..count).map(|month| date(2019, 1, 1).saturating_add(jiff::Span::new().months(month))).collect();
    let asked = percentiles::asked(outer);
    let value = |month: i32, label: u8| f64::from(label) / 100.0 + f64::from(month % 5) / 50.0;
    let values = (0..count).flat_map(|month| asked.iter().map(move |p| value(month, p.label))).collect();
    Deciles::example("bp", dates, asked.clone(), values)
}

fn artist() -> Artist {
    Artist::new(false, true)
}

fn draw(deciles: &Deciles) -> Drawing {
    artist().draw(deciles, &Labels::default()).0
}

fn words(drawing: &Drawing) -> Vec<&Words> {
    drawing.items.iter().filter_map(|item| if let Item::Words(words) = item { Some(words) } else { None }).collect()
}

fn texts<'a>(drawing: &'a Drawing, class: &str) -> Vec<&'a str> {
    words(drawing).into_iter().filter(|words| words.class == class).map(|words| words.text.as_str()).collect()
}

fn lines<'a>(drawing: &'a Drawing, wanted: &str) -> Vec<&'a Vec<Point>> {
    let is = |class: &String| class.split(' ').any(|part| part == wanted);
    let line = |item: &'a Item| match item {
        Item::Line { class, points, .. } if is(class) => Some(points),
        _ => None,
    };
    drawing.items.iter().filter_map(line).collect()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 0.02
}

#[test]
fn every_vertex_is_where_the_formula_says() {
    let deciles = months(24, true);
    let drawing = draw(&deciles);
    let plot = drawing.plot;
    assert_eq!((plot.width, plot.height), (496.0, 326.4));
    // Largest: 0.99 + 4/50 = 1.07. 23 months from 2019-01-01 to 2020-12-01 are 700 days.
    let top = 1.07 * 1.05;
    let days = |date: Date| f64::from((date - jiff::civil::date(2019, 1, 1)).get_days());
    for label in 1..100_u8 {
        let found = lines(&drawing, &format!("p{label}"));
        if label > 9 && label < 91 && label % 10 != 0 {
            assert!(found.is_empty(), "{label}");
            continue;
        }
        assert_eq!((found.len(), found[0].len()), (1, 24), "{label}");
        for (month, (x, y)) in found[0].iter().enumerate() {
            let date = deciles.dates[month];
            let value = f64::from(label) / 100.0 + (month % 5) as f64 / 50.0;
            assert!(close(*x, plot.x + days(date) / 700.0 * 496.0), "{label} {date}");
            assert!(close(*y, plot.y + 326.4 * (1.0 - value / top)), "{label} {date}");
        }
    }
}

#[test]
fn the_canvas_is_cut_to_its_contents() {
    let plain = draw(&months(24, false));
    assert!((780..=796).contains(&plain.width) && (426..=446).contains(&plain.height), "{plain:?}");
    let outer = draw(&months(24, true));
    assert!((170..=182).contains(&(outer.width - plain.width)), "{} {}", outer.width, plain.width);
    for drawing in [plain, outer] {
        let points: Vec<Point> = words(&drawing).iter().flat_map(|words| words.corners()).collect();
        for (x, y) in &points {
            assert!(
                *x > 9.9 && *y > 9.9 && *x < f64::from(drawing.width) - 9.9 && *y < f64::from(drawing.height) - 9.9
            );
        }
        let lowest = points.iter().map(|(_, y)| *y).fold(0.0, f64::max);
        assert!(f64::from(drawing.height) - lowest < 11.0, "ten pixels and what fills up the last one");
        let leftmost = points.iter().map(|(x, _)| *x).fold(f64::MAX, f64::min);
        assert!(leftmost < 11.0);
    }
}

#[test]
fn ticks_legend_and_order_are_those_of_the_rule() {
    let drawing = draw(&months(24, true));
    assert_eq!(texts(&drawing, "legend"), ["1st-9th, 91st-99th percentile", "decile", "median"]);
    assert_eq!(texts(&draw(&months(24, false)), "legend"), ["decile", "median"]);
    let ticks = texts(&drawing, "tick");
    assert_eq!(ticks[..3], ["January 2019", "April 2019", "July 2019"]);
    assert_eq!(ticks[8..], ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
    assert!(texts(&drawing, "title").is_empty() && texts(&drawing, "y-label").is_empty());
    let legend = drawing.items.iter().find_map(|item| match item {
        Item::Box { class: "legend", rect, .. } => Some(*rect),
        _ => None,
    });
    let (legend, plot) = (legend.unwrap(), drawing.plot);
    assert!(close(legend.x - plot.right(), 49.6));
    assert!(close(legend.y + legend.height / 2.0, plot.y + 0.2 * 326.4));
    let order: Vec<&str> = drawing
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Line { class, .. } if class.starts_with("line") => class.rsplit(" p").next(),
            _ => None,
        })
        .collect();
    let labels: Vec<u8> = order.iter().map(|label| label.parse().unwrap()).collect();
    assert!(labels.is_sorted() && labels.len() == 27);
}

#[test]
fn lines_differ_in_width_and_pattern() {
    let pt = 100.0 / 72.0;
    let drawing = draw(&months(3, true));
    for (label, points, dash) in [(50, 1.5, None), (20, 1.0, Some([3.7, 1.6])), (3, 0.8, Some([1.0, 1.65]))] {
        let class = format!("p{label}");
        let stroke = drawing.items.iter().find_map(|item| match item {
            Item::Line { class: found, stroke, clipped: true, .. } if found.ends_with(&class) => Some(*stroke),
            _ => None,
        });
        let stroke = stroke.unwrap();
        assert_eq!(stroke.colour.hex(), "#0000ff");
        assert!(close(stroke.width, points * pt), "{label}");
        match (stroke.dash, dash) {
            (None, None) => {}
            (Some(found), Some(asked)) => {
                assert!(close(found[0], asked[0] * points * pt) && close(found[1], asked[1] * points * pt), "{label}");
            }
            other => panic!("{label}: {other:?}"),
        }
    }
}

#[test]
fn a_missing_value_is_a_gap_and_a_lone_one_a_point() {
    let dates: Vec<Date> = (1..=7).map(|month| date(2020, month, 1)).collect();
    let nan = f64::NAN;
    let median = percentiles::asked(false).into_iter().filter(|p| p.label == 50).collect();
    let deciles = Deciles::example("bp", dates, median, vec![1.0, 2.0, nan, 3.0, nan, 1.0, f64::NEG_INFINITY]);
    let drawing = draw(&deciles);
    let found: Vec<usize> = lines(&drawing, "p50").iter().map(|points| points.len()).collect();
    assert_eq!(found, [2]);
    let dots = drawing.items.iter().filter(|item| matches!(item, Item::Dot { .. })).count();
    assert_eq!(dots, 2, "March to May, and June to the infinite July");
}

#[test]
fn one_date_shows_points_in_the_middle() {
    let drawing = draw(&months(1, false));
    let dots: Vec<(Point, f64, bool)> = drawing
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Dot { class, at, radius, fill, .. } if class.starts_with("line") => {
                Some((*at, *radius, fill.is_some()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(dots.len(), 9);
    assert!(dots.iter().all(|((x, _), r, _)| close(*x, drawing.plot.x + 248.0) && close(2.0 * r, 4.0 * 100.0 / 72.0)));
    assert_eq!(dots.iter().filter(|(_, _, filled)| *filled).count(), 1, "the median");
    assert_eq!(texts(&drawing, "tick")[0], "1 Jan 2019");
}

#[test]
fn no_data_says_so() {
    let none = Deciles::example("bp", Vec::new(), percentiles::asked(false), Vec::new());
    let blank = Deciles::example("bp", vec![date(2020, 1, 1)], percentiles::asked(false), vec![f64::NAN; 9]);
    for deciles in [none, blank] {
        let drawing = draw(&deciles);
        assert_eq!(texts(&drawing, "no-data"), ["no data"]);
        assert!(texts(&drawing, "legend").is_empty());
        assert!(texts(&drawing, "tick").contains(&"1.0"));
        assert!(drawing.description.starts_with("Measure bp: no data."));
    }
}

/// Whether two boxes that may be turned share any space: they do not if a side of one parts them.
fn overlap(a: [Point; 4], b: [Point; 4]) -> bool {
    let parted = |one: &[Point; 4], other: &[Point; 4]| {
        (0..4).any(|side| {
            let ((x1, y1), (x2, y2)) = (one[side], one[(side + 1) % 4]);
            let along = |(x, y): &Point| (x - x1) * (y2 - y1) - (y - y1) * (x2 - x1);
            let (most, least) =
                (one.iter().map(along).fold(f64::MIN, f64::max), one.iter().map(along).fold(f64::MAX, f64::min));
            other.iter().map(along).all(|at| at >= most) || other.iter().map(along).all(|at| at <= least)
        })
    };
    !parted(&a, &b) && !parted(&b, &a)
}

#[test]
fn overlap_is_told_for_turned_boxes() {
    let square = |x: f64, y: f64| [(x, y), (x + 2.0, y), (x + 2.0, y + 2.0), (x, y + 2.0)];
    let diamond = |x: f64, y: f64| [(x, y - 2.0), (x + 2.0, y), (x, y + 2.0), (x - 2.0, y)];
    assert!(overlap(square(0.0, 0.0), square(1.0, 1.0)) && !overlap(square(0.0, 0.0), square(2.5, 0.0)));
    assert!(overlap(square(0.0, 0.0), square(0.5, 0.5)) && overlap(diamond(0.0, 0.0), diamond(1.0, 1.0)));
    assert!(!overlap(diamond(0.0, 0.0), diamond(2.5, 2.5)) && !overlap(square(0.0, 0.0), diamond(3.5, 3.5)));
}

fn no_words_overlap(drawing: &Drawing) -> Result<(), String> {
    let words = words(drawing);
    for (at, one) in words.iter().enumerate() {
        for other in &words[at + 1..] {
            if overlap(one.corners(), other.corners()) {
                return Err(format!("{:?} overlaps {:?}", one.text, other.text));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_words_overlap_whatever_the_dates_and_sizes(
        first in 0_i32..20_000, steps in prop::collection::vec(prop_oneof![1_i32..9, 20_i32..40, 300_i32..800], 0..40),
        largest in prop_oneof![Just(0.0), 1e-9_f64..1e-3, 0.0_f64..2.0, 1.0_f64..1e9, 1e20_f64..1e22],
        title in "[a-zA-Z ]{0,200}", y_label in "[a-zA-Z ]{0,200}",
    ) {
        let mut day = date(1990, 1, 1).saturating_add(jiff::Span::new().days(first));
        let mut dates = vec![day];
        for step in steps {
            day = day.saturating_add(jiff::Span::new().days(step));
            dates.push(day);
        }
        let values = vec![largest; dates.len() * 9];
        let deciles = Deciles::example("bp", dates, percentiles::asked(false), values);
        let drawing = artist().draw(&deciles, &Labels { title, y_label }).0;
        prop_assert_eq!(no_words_overlap(&drawing), Ok(()));
        prop_assert!(drawing.width < 1600 && drawing.height < 1200);
        let ticks = lines(&drawing, "grid").len();
        prop_assert!(ticks <= 12 + 11, "{} grid lines", ticks);
    }
}

struct Image {
    width: usize,
    pixels: Vec<u8>,
}

impl Image {
    fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.width + x) * 3;
        [self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]]
    }

    /// Blue is on the pixel, at least in part.
    fn is_blue(&self, x: usize, y: usize) -> bool {
        let [r, g, b] = self.at(x, y);
        r < 160 && g < 160 && b > 200
    }
}

fn decoded(bytes: &[u8]) -> (Image, ::png::Info<'static>) {
    let decoder = ::png::Decoder::new(std::io::Cursor::new(bytes));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    reader.finish().unwrap();
    assert_eq!((frame.color_type, frame.bit_depth), (::png::ColorType::Rgb, ::png::BitDepth::Eight));
    let info = reader.info().clone();
    (Image { width: frame.width as usize, pixels }, info)
}

#[test]
fn the_png_has_its_lines_where_the_drawing_says() {
    let deciles = months(24, false);
    let drawing = draw(&deciles);
    let bytes = artist().render(&Chart(drawing.clone()), Format::Png).unwrap();
    let (image, info) = decoded(&bytes);
    assert_eq!((info.width, info.height), (drawing.width, drawing.height));
    let texts: Vec<&str> = info.uncompressed_latin1_text.iter().map(|text| text.keyword.as_str()).collect();
    assert_eq!(texts, ["Title", "Description"]);
    assert!(info.uncompressed_latin1_text[1].text.contains("deciles_table_bp.csv"));
    let plot = drawing.plot;
    let (left, top) = (plot.x as usize, plot.y as usize);
    let (right, bottom) = (left + 496, (plot.y + 326.4) as usize);
    let frame = |pixel: [u8; 3]| pixel.iter().all(|c| (0xb0..0xe8).contains(c));
    for (x, y) in [(left, top), (right, top), (left, bottom), (right, bottom)] {
        assert!(frame(image.at(x, y)), "corner {x} {y}: {:?}", image.at(x, y));
    }
    for (x, y) in [(left - 2, top - 2), (right + 2, top - 2), (right + 2, bottom + 2), (0, 0)] {
        assert_eq!(image.at(x, y), [255, 255, 255], "{x} {y}");
    }
    // Points along the lines: blue within a pixel everywhere on the median, on 60 to 80 % of a decile.
    let share = |points: &[Point]| {
        let (mut hit, mut all) = (0, 0);
        for pair in points.windows(2) {
            for step in 1..200 {
                let along = f64::from(step) / 200.0;
                let (x, y) = (pair[0].0 + (pair[1].0 - pair[0].0) * along, pair[0].1 + (pair[1].1 - pair[0].1) * along);
                all += 1;
                hit += usize::from(image.is_blue(x as usize, y as usize));
            }
        }
        f64::from(u32::try_from(hit).unwrap()) / f64::from(all)
    };
    let median = share(lines(&drawing, "p50")[0]);
    assert!(median > 0.99, "{median}");
    for label in [10, 20, 30, 40, 60, 70, 80, 90] {
        let decile = share(lines(&drawing, &format!("p{label}"))[0]);
        assert!((0.60..0.80).contains(&decile), "p{label}: {decile}");
    }
}

#[test]
fn the_same_chart_has_the_same_bytes_on_every_thread() {
    let render = || {
        let chart = artist().draw(&months(24, true), &Labels { title: "T é".into(), y_label: "Y".into() });
        [Format::Png, Format::Svg].map(|format| artist().render(&chart, format).unwrap())
    };
    let first = render();
    let others: Vec<_> = (0..3).map(|_| std::thread::spawn(render)).collect();
    for other in others {
        assert!(other.join().unwrap() == first);
    }
    let (_, info) = decoded(&first[0]);
    assert_eq!(info.utf8_text.first().map(|text| text.keyword.as_str()), Some("Title"), "not Latin: UTF-8");
}

/// More dashes than the rasteriser takes at once, and values far below the plot.
#[test]
fn thousands_of_dates_are_drawn() {
    let dates: Vec<Date> = (0..6_000).map(|day| date(1960, 1, 1).saturating_add(jiff::Span::new().days(day))).collect();
    let asked = percentiles::asked(true)[9..11].to_vec();
    let values = (0..dates.len()).flat_map(|at| if at % 2 == 0 { [1.0, 0.5] } else { [-1e30, 0.0] }).collect();
    let drawing = draw(&Deciles::example("x", dates, asked, values));
    let (image, _) = decoded(&artist().render(&Chart(drawing.clone()), Format::Png).unwrap());
    let (middle, bottom) = (drawing.plot.x as usize + 248, drawing.plot.bottom() as usize);
    assert!((bottom - 100..bottom).all(|y| image.is_blue(middle, y)), "so many lines that they are one area");
    assert_eq!(image.at(middle, bottom + 2), [255, 255, 255], "cut at the plot");
}

/// A few rules of the accessibility checkers, and that the text is well formed.
#[test]
fn the_svg_can_be_read_without_eyes() {
    let labels = Labels { title: "<script>alert('x')</script> & more".into(), y_label: "\"share\"".into() };
    let chart = artist().draw(&months(24, true), &labels);
    let svg = String::from_utf8(artist().render(&chart, Format::Svg).unwrap()).unwrap();
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width="));
    assert!(svg.contains("role=\"img\" aria-labelledby=\"title-bp desc-bp\""));
    assert!(svg.contains("<title id=\"title-bp\">&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; more</title>"));
    assert!(svg.contains("The median is 0.5 first and 0.56 last."), "{svg}");
    assert!(!svg.contains("<script") && !svg.contains(" on") && !svg.contains("href"));
    assert_eq!(svg.matches("<polyline class=\"line ").count(), 27);
    assert_eq!(svg.matches("class=\"line median p50\"").count(), 1);
    assert!(svg.contains("stroke-dasharray=\"5.14,2.22\""), "3.7 and 1.6 widths of 100/72 px");
    let mut open = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap();
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split(' ').next().unwrap()),
        }
    }
    assert!(open.is_empty());
}
