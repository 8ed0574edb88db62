//! What `history` says. All its codes, weights and texts are here.

use huiliu_stage::{Finding, Severity, Text};

/// Codes with their parts, and the usual weight (domain.md section 20).
pub(super) const PARTS: [(&str, Severity); 14] = [
    ("V07.unit", Severity::Error),
    ("V08.fell", Severity::Warning),
    ("V09.months", Severity::Warning),
    ("V13.empty", Severity::Error),
    ("V13.reused", Severity::Error),
    ("V14.missing", Severity::Warning),
    ("V14.late", Severity::Info),
    ("V14.same", Severity::Warning),
    ("V17.missing", Severity::Warning),
    ("V21.skipped", Severity::Error),
    ("V21.identity", Severity::Warning),
    ("V22.money-only", Severity::Warning),
    ("V22.works-only", Severity::Warning),
    ("V22.fell", Severity::Warning),
];

/// What was found, with the values that its sentence names.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found {
    Unit { title: String, before: f64, now: f64 },
    Fell { before: f64, now: f64 },
    Months { sum: f64, year: f64 },
    Empty { file: String },
    Reused { file: String, other: String },
    MonthsMissing { from: i32, to: i32 },
    Late { month: i32, day: u32 },
    Same { months: u32 },
    Skipped { stage: String, before: String },
    OtherName { name: String, before: String },
    OtherCode { code: String, before: String },
    MoneyOnly { months: u32 },
    WorksOnly { before: f64, now: f64 },
    ProgressFell { before: f64, now: f64 },
}

/// A month as people write it; months are counted from the year 0.
fn month(number: i32) -> String {
    format!("{}-{:02}", number.div_euclid(12), number.rem_euclid(12) + 1)
}

impl Found {
    /// Code and part.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Unit { .. } => "V07.unit",
            Self::Fell { .. } => "V08.fell",
            Self::Months { .. } => "V09.months",
            Self::Empty { .. } => "V13.empty",
            Self::Reused { .. } => "V13.reused",
            Self::MonthsMissing { .. } => "V14.missing",
            Self::Late { .. } => "V14.late",
            Self::Same { .. } => "V14.same",
            Self::Skipped { .. } => "V21.skipped",
            Self::OtherName { .. } | Self::OtherCode { .. } => "V21.identity",
            Self::MoneyOnly { .. } => "V22.money-only",
            Self::WorksOnly { .. } => "V22.works-only",
            Self::ProgressFell { .. } => "V22.fell",
        }
    }

    fn text(&self) -> Text {
        match self {
            Self::Unit { title, before, now } => Text::new(
                format!("{title}由{before}变为{now}，相差约一万倍，疑为单位填错；请核对是元、万元还是亿元"),
                format!(
                    "{title} went from {before} to {now}, about ten thousand times: the unit looks wrong; check it"
                ),
            ),
            Self::Fell { before, now } => Text::new(
                format!("开工以来累计完成投资由{before}降为{now}；累计数不应减少，请核对，确需核减的请说明"),
                format!(
                    "the cumulative investment fell from {before} to {now}; check it, or explain the reduction"
                ),
            ),
            Self::Months { sum, year } => Text::new(
                format!("各月完成投资之和为{sum}，与年度累计{year}不符；请核对各月数据"),
                format!("the months add up to {sum}, the year is given as {year}; check the months"),
            ),
            Self::Empty { file } => Text::new(
                format!("佐证材料“{file}”是空文件；请重新上传"),
                format!("the evidence `{file}` is empty; send it again"),
            ),
            Self::Reused { file, other } => Text::new(
                format!("佐证材料“{file}”与项目“{other}”已用过的完全相同；每个项目须用自己的材料，请更换"),
                format!("the evidence `{file}` was used for `{other}` already; each project needs its own"),
            ),
            Self::MonthsMissing { from, to } if from == to => {
                let from = month(*from);
                Text::new(
                    format!("缺少{from}的月报；请补报"),
                    format!("the report of {from} is missing; please send it"),
                )
            }
            Self::MonthsMissing { from, to } => {
                let (from, to) = (month(*from), month(*to));
                Text::new(
                    format!("缺少{from}至{to}的月报；请补报"),
                    format!("the reports of {from} to {to} are missing; please send them"),
                )
            }
            Self::Late { month: reported, day } => {
                let (reported, due) = (month(*reported), month(reported + 1));
                Text::new(
                    format!("{reported}的月报应在{due}-{day:02}前报送，现已逾期；已照常接收"),
                    format!("the report of {reported} was due on {due}-{day:02}; it is late and was taken"),
                )
            }
            Self::Same { months } => Text::new(
                format!("连续{months}个月填报的数据与上月完全相同；请核对进度，确无进展的请说明原因"),
                format!(
                    "the figures are those of the month before for {months} months; check the progress or explain it"
                ),
            ),
            Self::Skipped { stage, before } => Text::new(
                format!("分阶段许可填了“{stage}”，但没有前一阶段“{before}”；阶段不能跳过，请补报或更正"),
                format!(
                    "the permit has the stage {stage} without the one before it ({before}); no stage can be skipped"
                ),
            ),
            Self::OtherName { name, before } => Text::new(
                format!(
                    "各许可阶段应使用同一项目名称：本次为“{name}”，前一阶段为“{before}”；请统一名称，确属另一项目的请用另一代码"
                ),
                format!(
                    "all stages of a permit keep one project name: this is `{name}`, the stage before had `{before}`; use one name, or another code for another project"
                ),
            ),
            Self::OtherCode { code, before } => Text::new(
                format!("各许可阶段应使用同一项目代码：本次为{code}，前一阶段为{before}；请核对项目代码"),
                format!(
                    "all stages of a permit keep one project code: this is {code}, the stage before had {before}; check the code"
                ),
            ),
            Self::MoneyOnly { months } => Text::new(
                format!(
                    "连续{months}个月有投资而无建安工作量、无形象进度；请核对三量，属土地款或定金的请说明"
                ),
                format!(
                    "investment without works or progress for {months} months; check the three quantities"
                ),
            ),
            Self::WorksOnly { before, now } => Text::new(
                format!("形象进度由{before}%到{now}%，而本月完成投资为零；请核对三量是否一致"),
                format!(
                    "the progress went from {before} % to {now} % without any investment in the month; check both"
                ),
            ),
            Self::ProgressFell { before, now } => Text::new(
                format!("形象进度由{before}%降为{now}%；请核对"),
                format!("the progress fell from {before} % to {now} %; check it"),
            ),
        }
    }

    /// As a finding about a row.
    pub(super) fn finding(&self, row: i64, field: &str, severity: Severity) -> Finding {
        let code = self.name().split('.').next().unwrap_or_default();
        Finding::new(Some(row), severity, code, self.text()).with_field(field)
    }
}

/// Projects of last month's file that this month's lacks.
pub(super) fn left_out(names: &[String], severity: Severity) -> Finding {
    let (shown, count) = (names.iter().take(10).map(String::as_str).collect::<Vec<_>>(), names.len());
    let text = Text::new(
        format!(
            "上月报送而本次没有的项目有{count}个：{}{}；请补报，已调出的请说明",
            shown.join("、"),
            if count > 10 { "等" } else { "" }
        ),
        format!(
            "{count} projects of last month's file are not in this one: {}; add them, or say that they were removed",
            shown.join(", ")
        ),
    );
    Finding::new(None, severity, "V17", text)
}
