//! What a receipt says in each of its views, the workbook's first sheet and the page: said once, here.

use std::borrow::Cow;

use huiliu_stage::Finding;

use super::ReceiptData;
use super::codes::meaning;
use super::place::Place;

impl ReceiptData {
    fn say<T>(&self, zh: T, en: T) -> T {
        self.language.pick(zh, en)
    }

    /// What the delivery is, line by line: label and value.
    pub(super) fn head(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![
            (self.say("文件", "file"), self.file.clone()),
            (self.say("报送单位", "sent by"), self.sender.clone()),
            (self.say("收到时间", "received"), self.zone.print(self.received_ms, "%Y-%m-%d %H:%M:%S")),
            (self.say("流程", "pipeline"), self.pipeline.clone()),
            (self.say("编号", "delivery"), self.delivery.clone()),
            (self.say("结果", "outcome"), self.outcome()),
        ];
        if let Some(package) = &self.package {
            lines.insert(1, (self.say("压缩包", "package"), package.clone()));
        }
        if let Some(earlier) = &self.corrects {
            let at = self.zone.print(earlier.received_ms, "%Y-%m-%d %H:%M:%S");
            let id = &earlier.delivery;
            let text = self.say(
                format!("更正了 {at} 的报送（编号 {id}），以本次为准"),
                format!("this corrects what was sent at {at} (delivery {id}); what was sent now counts"),
            );
            lines.push((self.say("更正", "corrects"), text));
        }
        lines
    }

    /// What was counted: label and number.
    pub(super) fn counted(&self) -> Vec<(&'static str, u64)> {
        let mut counted = vec![
            (self.say("数据行", "rows read"), self.rows_in),
            (self.say("已采用", "taken"), self.accepted),
            (self.say("并入已有记录", "merged"), self.merged),
            (self.say("略去", "left out"), self.dropped),
            (self.say("待改正", "set aside"), self.quarantined),
            (self.say("退回", "refused"), self.refused),
            (self.say("错误", "errors"), self.errors),
            (self.say("警告", "warnings"), self.warnings),
            (self.say("提示", "notes"), self.infos),
        ];
        if self.package.is_some() {
            // What became of rows is counted for the package only.
            counted.drain(1..4);
        }
        counted
    }

    /// What stands above the list of findings when `shown` of them are listed.
    pub(super) fn findings_title(&self, shown: usize) -> String {
        let total = self.findings_total();
        match total > shown as u64 {
            true => self.say(
                format!("问题清单（共 {total} 条，列出前 {shown} 条）"),
                format!("Findings (the first {shown} of {total})"),
            ),
            false => self.say(format!("问题清单（共 {total} 条）"), format!("Findings ({total})")),
        }
    }

    /// The columns of the list of findings.
    pub(super) fn finding_columns(&self) -> [&'static str; 8] {
        self.say(
            ["序号", "工作表", "位置", "程度", "字段", "问题与改法", "报送的值", "代码"],
            [
                "no.",
                "sheet",
                "place",
                "severity",
                "field",
                "what is wrong and what to do",
                "what was sent",
                "code",
            ],
        )
    }

    /// What stands above the count of each code, and the names of its columns.
    pub(super) fn codes_title(&self) -> (&'static str, [&'static str; 3]) {
        self.say(
            ("问题分类", ["代码", "条数", "含义"]),
            ("Findings by code", ["code", "how many", "what it means"]),
        )
    }

    /// What a code means; of one that only this pipeline has, an example.
    pub(super) fn meaning<'a>(&'a self, code: &str) -> Cow<'a, str> {
        if let Some(meaning) = meaning(code, self.language) {
            return meaning.into();
        }
        let Some(first) = self.findings.iter().find(|finding| finding.code == code) else { return "".into() };
        let message = first.message.in_language(self.language.code());
        self.say(format!("例如：{message}"), format!("such as: {message}")).into()
    }

    /// What was sent. Where a rule tells of several fields (`total=12; plan=30`), by what people call them.
    pub(super) fn sent<'a>(&self, finding: &'a Finding) -> Cow<'a, str> {
        let raw = finding.raw.as_deref().unwrap_or_default();
        let titled = |part: &str| {
            let (field, value) = part.split_once('=')?;
            let title = self.titles.get(field)?;
            let value = if value.is_empty() { "—" } else { value };
            Some(self.say(format!("{title}：{value}"), format!("{title}: {value}")))
        };
        match raw.split("; ").map(titled).collect::<Option<Vec<String>>>() {
            Some(parts) => parts.join(self.say("；", "; ")).into(),
            None => raw.into(),
        }
    }

    /// A place as people find it: the cell, else the row.
    pub(super) fn place_text(&self, place: Place<'_>) -> String {
        let row = place.row;
        place.cell().unwrap_or_else(|| self.say(format!("第 {row} 行"), format!("row {row}")))
    }
}

#[cfg(test)]
mod tests {
    use crate::receipt::Language;
    use crate::receipt::sample::sample;

    #[test]
    fn what_was_left_out_is_named_though_every_row_was_taken() {
        let mut data = sample("xlsx", Language::Zh);
        data.quarantined = 0;
        let outcome = |data: &super::ReceiptData| data.head().pop().unwrap().1;
        assert!(outcome(&data).starts_with("读到的行全部接收；但有 2 处错误"), "{}", outcome(&data));
        data.language = Language::En;
        assert!(outcome(&data).contains("but 2 errors tell of what was not"), "{}", outcome(&data));
        data.errors = 0;
        assert_eq!(outcome(&data), "all rows were taken; 1 warnings should be looked at");
        data.warnings = 0;
        assert_eq!(outcome(&data), "all rows were taken");
    }

    #[test]
    fn the_fields_that_a_rule_speaks_of_are_called_as_people_call_them() {
        let mut data = sample("xlsx", Language::Zh);
        for (raw, shown) in [
            ("total=12; code=", "总投资：12；项目代码：—"),
            ("total=a=b", "总投资：a=b"),
            ("=待定", "=待定"),
            ("total=12; other=1", "total=12; other=1"),
            ("", ""),
        ] {
            data.findings[0].raw = Some(raw.into());
            assert_eq!(data.sent(&data.findings[0]), shown);
        }
    }
}
