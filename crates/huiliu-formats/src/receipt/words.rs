//! What a receipt says in each of its views, the workbook's first sheet and the page: said once, here.

use super::ReceiptData;
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
    pub(super) fn counted(&self) -> [(&'static str, u64); 9] {
        [
            (self.say("数据行", "rows read"), self.rows_in),
            (self.say("已采用", "taken"), self.accepted),
            (self.say("并入已有记录", "merged"), self.merged),
            (self.say("略去", "left out"), self.dropped),
            (self.say("待改正", "set aside"), self.quarantined),
            (self.say("退回", "refused"), self.refused),
            (self.say("错误", "errors"), self.errors),
            (self.say("警告", "warnings"), self.warnings),
            (self.say("提示", "notes"), self.infos),
        ]
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

    /// A place as people find it: the cell, else the row.
    pub(super) fn place_text(&self, place: Place<'_>) -> String {
        let row = place.row;
        place.cell().unwrap_or_else(|| self.say(format!("第 {row} 行"), format!("row {row}")))
    }
}
