//! Lines of a label and a value, as markup. They change seldom and as a whole; a keyed list would weigh more than it saves.

use crate::screen::Row;

/// The groups of a description list.
pub fn rows(rows: &[Row]) -> String {
    let mut html = String::with_capacity(rows.len() * 96);
    for row in rows {
        html.push_str("<div><dt>");
        html.push_str(&escaped(row.label));
        html.push_str("</dt><dd>");
        if let Some(link) = &row.link {
            html.push_str("<a target=\"_blank\" rel=\"noopener noreferrer\" href=\"");
            html.push_str(&escaped(link));
            html.push_str("\">");
        }
        html.push_str(&escaped(&row.value));
        if row.link.is_some() {
            html.push_str("</a>");
        }
        html.push_str("</dd></div>");
    }
    html
}

/// A text as it may stand between tags and within a quoted attribute.
pub fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_id_cannot_become_markup() {
        let row = Row {
            label: "Order",
            value: "<script>\"&\"</script>".to_owned(),
            link: Some("https://x.example/?a=1&b=\"2\"".to_owned()),
        };
        assert_eq!(
            rows(&[row]),
            "<div><dt>Order</dt><dd><a target=\"_blank\" rel=\"noopener noreferrer\" href=\"https://x.example/?a=1&amp;b=&quot;2&quot;\">&lt;script&gt;&quot;&amp;&quot;&lt;/script&gt;</a></dd></div>"
        );
    }
}
