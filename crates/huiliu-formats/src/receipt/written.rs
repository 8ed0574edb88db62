//! How a text file was written, in the words of a receipt.

use super::ReceiptData;

impl ReceiptData {
    /// Kind, encoding, delimiter, quotes and how many rows were repaired: what is known of them.
    pub(super) fn written(&self) -> Vec<String> {
        let report = &self.report;
        let mut parts = vec![report.format.clone()];
        if !report.encoding.is_empty() {
            let encoding = &report.encoding;
            parts.push(self.language.pick(format!("编码 {encoding}"), format!("encoding {encoding}")));
        }
        if let Some(delimiter) = &report.delimiter {
            let (zh, en) = named(delimiter);
            parts.push(self.language.pick(format!("分隔符{zh}"), format!("delimiter {en}")));
        }
        if let Some(quote) = report.quote {
            parts.push(self.language.pick(format!("引号 {quote}"), format!("quote {quote}")));
        }
        if let Some(escape) = report.escape {
            parts.push(self.language.pick(format!("转义符 {escape}"), format!("escape {escape}")));
        }
        if report.repaired > 0 {
            let count = report.repaired;
            parts.push(self.language.pick(
                format!("{count} 行格式有误，已修正后读取"),
                format!("{count} malformed rows repaired"),
            ));
        }
        parts
    }
}

/// A delimiter so that it can be seen.
fn named(delimiter: &str) -> (String, String) {
    match delimiter {
        "\t" => ("“制表符”".to_owned(), "TAB".to_owned()),
        " " => ("“空格”".to_owned(), "blank".to_owned()),
        other => (format!("“{other}”"), format!("\"{other}\"")),
    }
}

#[cfg(test)]
mod tests {
    use crate::receipt::Language;
    use crate::receipt::sample::sample;

    #[test]
    fn a_receipt_tells_how_the_file_was_written() {
        let mut data = sample("csv", Language::Zh);
        data.report.delimiter = Some("||".to_owned());
        (data.report.quote, data.report.escape, data.report.repaired) = (Some('"'), Some('\\'), 3);
        let told = data.written().join("，");
        assert_eq!(told, r#"csv，编码 GB18030，分隔符“||”，引号 "，转义符 \，3 行格式有误，已修正后读取"#);
        data.language = Language::En;
        data.report.delimiter = Some("\t".to_owned());
        let told = data.written().join(", ");
        assert_eq!(
            told,
            r#"csv, encoding GB18030, delimiter TAB, quote ", escape \, 3 malformed rows repaired"#
        );
        assert_eq!(sample("xlsx", Language::Zh).written(), ["xlsx"]);
    }
}
