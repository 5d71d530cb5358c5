//! What people are told of a result: lines, and what has several forms for terminals of different widths.

use crate::text::{self, Line};

/// A piece of what people are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A line.
    Line(Line),
    /// The first of these that is not too wide for the terminal; the last where all are.
    Fitting(Vec<Vec<Line>>),
}

impl Told {
    /// The lines for a terminal of this width; where there is none, all is told.
    pub(super) fn lines(&self, width: Option<usize>) -> &[Line] {
        match self {
            Self::Line(line) => std::slice::from_ref(line),
            Self::Fitting(forms) => {
                let fits = |form: &&Vec<Line>| {
                    let widest = form.iter().map(Line::width).max().unwrap_or_default();
                    width.is_none_or(|width| widest <= width)
                };
                forms.iter().find(fits).or(forms.last()).map_or(&[], Vec::as_slice)
            }
        }
    }
}

impl From<Line> for Told {
    fn from(line: Line) -> Self {
        Self::Line(line)
    }
}

impl From<&str> for Told {
    fn from(text: &str) -> Self {
        Self::Line(text.into())
    }
}

impl From<String> for Told {
    fn from(text: String) -> Self {
        Self::Line(text.into())
    }
}

/// The rows of a table; the first is the head.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> Vec<Line> {
    text::table(rows).lines().map(Line::fixed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_form_that_fits_is_told_and_all_of_it_where_there_is_no_terminal() {
        let forms = Told::Fitting(["long and wide", "shorter", "s"].map(|text| vec![Line::from(text)]).to_vec());
        let told = |width| forms.lines(width)[0].to_string();
        let all = [told(None), told(Some(13)), told(Some(12)), told(Some(1)), told(Some(0))];
        assert_eq!(all, ["long and wide", "long and wide", "shorter", "s", "s"]);
    }
}
