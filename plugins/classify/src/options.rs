//! The options of `classify`, as they stand in YAML.

use std::collections::BTreeMap;

use serde::Deserialize;

/// `classify: {text: […], kinds: …}`; everything else has a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Columns of texts or lists of texts, read in this order.
    pub text: Vec<String>,
    /// The kinds of matters.
    pub kinds: Kinds,
    /// Kind of a matter in which no keyword is found.
    #[serde(default = "other")]
    pub other: Other,
    /// Column with the kinds that were open before, each `KIND` or `KIND@SINCE`. Then a row comes out once for each kind, one
    /// that is told no more as `closed`, and `SINCE` is added.
    #[serde(default)]
    pub known: Option<String>,
    /// Texts that say that there is nothing to say, besides those that begin with 无 or 没有 and end there.
    #[serde(default)]
    pub nothing: Vec<String>,
    /// States by the words that tell of them; a matter in which none is found is `open`.
    #[serde(default = "states")]
    pub states: BTreeMap<String, Vec<String>>,
    /// Words that keep a matter from being `closed`, whatever else is said of it.
    #[serde(default = "still")]
    pub still: Vec<String>,
    /// Names of the columns that are added.
    #[serde(default)]
    pub output: Output,
}

fn other() -> Other {
    Other { code: "other".to_owned(), label: "其他".to_owned() }
}

fn states() -> BTreeMap<String, Vec<String>> {
    let words = [
        "已解决",
        "已全部解决",
        "均已解决",
        "已办结",
        "已落实",
        "已完成",
        "已协调解决",
        "已销号",
        "问题解决",
        "解决完毕",
    ];
    BTreeMap::from([("closed".to_owned(), words.map(str::to_owned).into())])
}

/// 征地已完成80%，剩余20户 is open: what is told as done is a part of it.
fn still() -> Vec<String> {
    let words = [
        "未完",
        "未解",
        "未落",
        "未到",
        "未通",
        "未办",
        "未取",
        "未能",
        "未全",
        "未获",
        "未建",
        "未签",
        "尚",
        "没有",
        "无法",
        "缺口",
        "剩余",
        "仍",
        "正在",
        "办理中",
        "预计",
        "困难",
        "难以",
        "不到位",
        "不足",
        "受阻",
        "滞后",
        "%",
        "％",
        "一半",
        "部分",
        "初稿",
    ];
    words.map(str::to_owned).to_vec()
}

/// What kinds there are: here, or in a reference table.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Kinds {
    /// `{table: issue_types, code: code, label: zh, keywords: keywords, copy: {lead_department: usual_department}}`.
    Table(Table),
    /// `[{code: land, label: 用地, keywords: [征地, 拆迁]}]`.
    List(Vec<Kind>),
}

/// A reference table with a row for each kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its name among the pipeline's `tables`; read anew for each delivery.
    pub table: String,
    /// Its column of codes.
    #[serde(default = "code")]
    pub code: String,
    /// Its column of names.
    #[serde(default = "label")]
    pub label: String,
    /// Its column of keywords, parted by blanks, `、`, `,` or `;`.
    #[serde(default = "keywords")]
    pub keywords: String,
    /// Columns to add, each with the table's column that fills it.
    #[serde(default)]
    pub copy: BTreeMap<String, String>,
}

fn code() -> String {
    "code".to_owned()
}

fn label() -> String {
    "zh".to_owned()
}

fn keywords() -> String {
    "keywords".to_owned()
}

/// A kind that is described in the pipeline itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Its short name.
    pub code: String,
    /// What people call it.
    #[serde(default)]
    pub label: String,
    /// Words that tell of it.
    pub keywords: Vec<String>,
}

/// The kind of what no keyword tells of.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Other {
    /// Its short name.
    pub code: String,
    /// What people call it.
    #[serde(default)]
    pub label: String,
}

/// Names of the added columns.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Output {
    /// The kind's code.
    pub kind: String,
    /// What people call the kind.
    pub label: String,
    /// The matter, in the sender's words.
    pub text: String,
    /// Its state.
    pub state: String,
    /// Since when it is known; only with `known`.
    pub since: String,
}

impl Default for Output {
    fn default() -> Self {
        let [kind, label, text, state, since] =
            ["issue_type", "issue_label", "issue_text", "issue_state", "issue_since"].map(str::to_owned);
        Self { kind, label, text, state, since }
    }
}
