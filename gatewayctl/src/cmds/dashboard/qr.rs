//! A QR code of half blocks. Light is drawn and dark is left, because terminals are mostly dark and phones want a dark
//! code on a light ground.

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

/// The lines of the code; `None` when the text is too long for one, or the code for the terminal.
#[must_use]
pub fn lines(text: &str, width: usize) -> Option<Vec<String>> {
    let code = QrCode::new(text.as_bytes()).ok()?;
    let image = code
        .render::<Dense1x2>()
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark)
        .quiet_zone(true)
        .build();
    let lines: Vec<String> = image.lines().map(str::to_owned).collect();
    let needed = lines.iter().map(|line| line.chars().count()).max()?;
    (needed <= width).then_some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many points a camera sees of a pixel, each way.
    const POINTS: usize = 4;

    #[test]
    fn a_reader_of_somebody_else_reads_the_link() {
        let link = "http://192.168.1.7:18789/?token=594b3fcc27ad97ef694c86e71fb2f2e033a67f65fa770574";
        let lines = lines(link, 80).expect("a code");
        // Blocks are light, and each line is two rows of pixels.
        let row = |line: &String, half: char| line.chars().map(|c| c == '█' || c == half).collect::<Vec<_>>();
        let rows: Vec<Vec<bool>> = lines.iter().flat_map(|line| [row(line, '▀'), row(line, '▄')]).collect();
        let (width, height) = (rows[0].len() * POINTS, rows.len() * POINTS);
        let light = |x: usize, y: usize| rows[y / POINTS][x / POINTS];
        let see = |x, y| if light(x, y) { 255 } else { 0 };
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, see);
        let grids = image.detect_grids();
        let [grid] = grids.as_slice() else { panic!("one code, not {}", grids.len()) };
        assert_eq!(grid.decode().expect("readable").1, link);
    }

    #[test]
    fn a_link_fits_an_ordinary_terminal() {
        let link = format!("http://192.168.100.100:18789/?token={}", "a1".repeat(24));
        let lines = lines(&link, 80).expect("a code");
        assert!(lines.len() < 30 && lines.iter().all(|line| line.chars().all(|c| " ▀▄█".contains(c))));
        assert_eq!(super::lines(&link, 20), None);
        assert_eq!(super::lines(&"x".repeat(5000), 1000), None);
    }
}
