#!/usr/bin/env python3
"""Makes the sample deliveries under inbox/ from base.csv. The same input gives the same bytes.

    pip install openpyxl        # tested with 3.1.5
    python3 make_samples.py     # rewrites inbox/

Project names without 示例 are public (names that stood in newspapers and on municipal pages; base.csv
says where). Everything else is made up: companies, codes, amounts, dates, people and mistakes. The
credit codes and project codes of the good rows pass their check digits and belong to nobody by intent.

Each department has its habits, and each tells another part of the same projects:

    发改局      workbook: title row, unit row, two-row merged header, groups, totals, a second sheet
    武进高新区  GB18030 CSV: amounts in 亿元, dates as people write them, full-width digits, commitments
    湖塘镇      workbook with one kind of mistake per row; the list MISTAKES says what each must give
"""

import csv
import datetime
import hashlib
import io
import re
import zipfile
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

HERE = Path(__file__).parent
MONTH = "2026年4月"
WRITTEN = datetime.datetime(2026, 5, 6, 9, 30)
USCC_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


# -- numbers that look random and never change -------------------------------------------------

def pick(key, what, count):
    """A number below `count` that depends on nothing but the two names."""
    digest = hashlib.blake2b(f"{key}/{what}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % count


def choose(key, what, options):
    return options[pick(key, what, len(options))]


def credit_code(key):
    """GB 32100: 91, region 320412, a GB 11714 organisation code MA……, both check characters."""
    body = "MA" + "".join(USCC_LETTERS[pick(key, f"uscc{i}", 31)] for i in range(6))
    value = lambda c: int(c) if c.isdigit() else ord(c) - 55
    check = 11 - sum(w * value(c) for w, c in zip([3, 7, 9, 10, 5, 8, 4, 2], body)) % 11
    code = "91320412" + body + {10: "X", 11: "0"}.get(check, str(check))
    return code + USCC_LETTERS[credit_check(code)]


def credit_check(code17):
    total = sum(USCC_LETTERS.index(c) * pow(3, i, 31) for i, c in enumerate(code17))
    return (31 - total % 31) % 31


def project_code(key, year, month, public):
    """GB/T 40058: YYMM-RRRRRR-DD-TT-NNNNNC with an ISO 7064 MOD 11,10 check digit."""
    digits = f"{year % 100:02}{month:02}320412{'0401' if public else '8901'}{pick(key, 'code', 100000):05}"
    p = 10
    for digit in digits:
        p = ((p + int(digit)) % 10 or 10) * 2 % 11
    digits += str((11 - p) % 10)
    return "-".join([digits[:4], digits[4:10], digits[10:12], digits[12:14], digits[14:]])


# -- the projects -----------------------------------------------------------------------------

def load():
    """The projects of base.csv, each with one consistent set of made-up facts (amounts in 万元)."""
    projects = {}
    with open(HERE / "base.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            projects[row["key"]] = invent(row)
    return projects


def invent(row):
    key, total, old = row["key"], int(row["total"]), row["nature"] == "续建"
    public = row["type"] in ("基础设施", "民生")
    filed = datetime.date(2024 if old else 2025, 1 + pick(key, "filed", 12), 1 + pick(key, "day", 28))
    land = filed + datetime.timedelta(days=40 + pick(key, "land", 50))
    permit = land + datetime.timedelta(days=20 + pick(key, "permit", 60))
    start = permit + datetime.timedelta(days=3 + pick(key, "start", 25))
    started = start <= datetime.date(2026, 4, 25)
    plan = total * (20 + pick(key, "plan", 20)) // 100 // 100 * 100
    ytd = plan * (180 + pick(key, "ytd", 240)) // 1000 if started else 0
    prior = total * (15 + pick(key, "prior", 25)) // 100 if old else 0
    unit = "示例" + row["short"] + ("有限公司" if not public else "投资有限公司")
    people = "王李张刘陈杨赵黄周吴徐孙"
    return row | {
        "total": total, "land": int(row["land"]), "public": public, "owner": unit,
        "uscc": credit_code(key), "code": project_code(key, filed.year, filed.month, public),
        "filed": filed, "sign": filed - datetime.timedelta(days=30 + pick(key, "sign", 60)),
        "landed": land, "permit": permit, "start": start if started else None, "started": started,
        "plan_start": start, "plan_finish": datetime.date(start.year + 2, start.month, 28),
        "plan": plan, "month": ytd * (20 + pick(key, "month", 20)) // 100, "ytd": ytd,
        "cumulative": prior + ytd, "contact": choose(key, "contact", people) + "某",
        "phone": f"0519-8000{pick(key, 'phone', 10000):04}",
    }


def rate(part, whole):
    """One decimal, half up, as the bureau prints it."""
    return (part * 2000 + whole) // (2 * whole) / 10 if whole else None


def printed_rate(p):
    """As printed, which is wrong for one project."""
    return rate(p["ytd"], p["plan"]) + (1.5 if p["key"] == "p13" else 0)


# -- 发改局 ------------------------------------------------------------------------------------

BUREAU = [f"p{n:02}" for n in range(1, 29)]
REVIEWED = ["p01", "p02", "p05", "p06", "p09", "p13", "p16", "p18", "p20", "p22", "p24", "p25"]
THIN = Border(*[Side(style="thin", color="999999")] * 4)


def bureau(projects):
    book = Workbook()
    progress_sheet(book.active, projects)
    review_sheet(book.create_sheet("联合会审"), projects)
    save(book, HERE / "inbox/发改局/2026年4月重点项目进展情况表.xlsx")


def progress_sheet(sheet, projects):
    sheet.title = "进展情况"
    sheet.append([f"武进区{MONTH}重点项目进展情况表（示例数据）"])
    sheet.append(["填报单位：区发展和改革局"] + [None] * 12 + ["单位：万元"])
    sheet.append(["序号", "项 目 名 称", "项目代码", "建设单位", "统一社会信用代码", "项目级别", "所属板块",
                  "建设性质", "总投资", "2026年计划投资", "1-4月完成投资情况", None, None, "开工以来累计完成投资", "备注"])
    sheet.append([None] * 10 + ["本月完成", "年度累计完成", "完成率(%)"])
    sheet.merge_cells("A1:O1")
    for column in "ABCDEFGHIJNO":
        sheet.merge_cells(f"{column}3:{column}4")
    sheet.merge_cells("K3:M3")

    chosen = [projects[key] for key in BUREAU]
    sheet.append([None, f"合计({len(chosen)}个)"] + [None] * 6 + sums(chosen))
    number, groups = 0, [("省重大", "一、省重大项目"), ("市重点", "二、市重点项目"), ("区重点", "三、区重点项目")]
    for level, title in groups:
        members = [p for p in chosen if p["level"] == level]
        sheet.append([f"{title}({len(members)}个)"])
        sheet.merge_cells(start_row=sheet.max_row, end_row=sheet.max_row, start_column=1, end_column=15)
        for p in members:
            number += 1
            sheet.append([number, p["name"], p["code"], p["owner"], p["uscc"], p["level"], p["place"], p["nature"],
                          p["total"], p["plan"], p["month"], p["ytd"], printed_rate(p), p["cumulative"],
                          None if p["started"] else "前期手续办理中"])
        sheet.append([None, "小计"] + [None] * 6 + sums(members))
    sheet.append(["注：1.总投资以备案证为准；2.完成率=年度累计完成/2026年计划投资；3.本表为示例数据，单位、代码、金额均为虚构。"])
    sheet.append(["填报人：张某", None, None, "审核人：李某", None, None, "填报日期：2026年5月6日"])
    dress(sheet, header=(3, 4), widths=[6, 44, 26, 30, 22, 10, 12, 10, 12, 14, 12, 14, 11, 16, 18])


def sums(projects):
    total = lambda name: sum(p[name] for p in projects)
    plan, ytd = total("plan"), total("ytd")
    return [total("total"), plan, total("month"), ytd, rate(ytd, plan), total("cumulative")]


def review_sheet(sheet, projects):
    sheet.append(["2026年第2批重点产业项目联合会审汇总表（示例数据）"])
    sheet.append(["序号", "项目名称", "项目代码", "项目类型", "产业链", "亩均投资强度(万元/亩)", "亩均税收(万元/亩)",
                  "研发投入占比(%)", "单位能耗(吨标准煤/万元)", "用工人数", "环评情况", "会审时间", "会审意见"])
    sheet.merge_cells("A1:M1")
    for number, key in enumerate(REVIEWED, 1):
        p = projects[key]
        # Some cells are left empty on purpose: a missing value is unscored, not 0.
        energy = None if key in ("p05", "p16") else (4 + pick(key, "energy", 40)) / 100
        rd = None if key == "p13" else (8 + pick(key, "rd", 40)) / 10
        sheet.append([number, p["name"], p["code"], p["type"], p["chain"],
                      p["total"] // p["land"] if p["land"] else None, 6 + pick(key, "tax", 30), rd, energy,
                      40 + pick(key, "jobs", 600), "未通过" if key == "p18" else "已批复",
                      datetime.date(2026, 4, 16), "暂缓" if key == "p18" else "通过"])
    dress(sheet, header=(2, 2), widths=[6, 44, 26, 10, 16, 14, 12, 12, 16, 10, 10, 12, 10])


# -- 武进高新区 ----------------------------------------------------------------------------------

ZONE = ["p01", "p02", "p03", "p05", "p06", "p07", "p08", "p09", "p10", "p11", "p12", "p29", "p30", "p04"]
ZONE_TOTAL = {"p09": 102000}  # The zone and the bureau disagree here.
ALL_PAPERS = ["施工许可证", "施工合同", "监理合同", "现场照片", "开工报告"]
# What each started project lacks, and its commitment: number, day given, deadline, day fulfilled.
COMMITMENTS = {
    "p06": ("监理合同", "RQ2026-011", "2026年3月9日", "2026年4月3日", "2026年3月27日"),  # Kept.
    "p08": ("开工报告", "RQ2026-014", "2026年3月16日", "2026年4月14日", ""),  # Broken: never supplied.
    "p10": ("监理合同", "", "", "", ""),  # No commitment: an error.
    "p12": ("施工合同", "RQ2026-017", "2026年4月7日", "2026年5月7日", ""),  # Not a paper that may be missing.
}


def zone(projects):
    """A CSV as an office program saves it here: GB18030, a title line, whatever forms people type."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n").writerow
    header = ["序号", "项目名称", "项目代码", "建设单位", "统一社会信用代码", "所属板块", "总投资(亿元)", "用地面积(亩)",
              "签约时间", "备案时间", "拿地时间", "施工许可时间", "是否开工", "开工时间", "计划竣工时间", "形象进度",
              "佐证材料", "容缺材料", "承诺书编号", "承诺日期", "补正期限", "补正完成日期", "联系人", "联系电话"]
    write([f"武进高新区{MONTH}重点产业项目节点填报表（示例数据，单位、代码、金额均为虚构）"] + [""] * (len(header) - 1))
    write(header)
    for number, key in enumerate(ZONE, 1):
        p = projects[key]
        lacking, *commitment = COMMITMENTS.get(key, ("", "", "", "", ""))
        papers = "、".join(paper for paper in ALL_PAPERS if paper != lacking) if p["started"] else ""
        day = lambda name: written_day(key, p[name], name)
        code = "" if key == "p11" else p["code"]  # p11 is found by credit code and name.
        write([number, as_typed(key, p["name"]), code, p["owner"], p["uscc"], "武高新" if key != "p04" else "湖塘镇",
               full_width_some(key, f"{ZONE_TOTAL.get(key, p['total']) / 10000:g}"), p["land"] or "", day("sign"), day("filed"), day("landed"),
               day("permit") if p["started"] else "", "是" if p["started"] else "否",
               day("start") if p["started"] else "", f"{p['plan_finish'].year}年{p['plan_finish'].month}月",
               choose(key, "progress", ["桩基施工", "基础施工", "主体二层施工", "钢结构吊装", "设备安装"])
               if p["started"] else "前期手续办理", papers, lacking, *commitment, p["contact"], p["phone"]])
    target = HERE / "inbox/武进高新区/武高新-2026年4月.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(out.getvalue().encode("gb18030"))


def as_typed(key, name):
    """The same project as another office types it: without 项目, with other brackets."""
    if key == "p11":
        return name + "项目"
    if key == "p06":
        return name.replace("(", "（").replace(")", "）")
    return name


def written_day(key, day, name):
    forms = [f"{day.year}年{day.month}月{day.day}日", f"{day.year}.{day.month}.{day.day}", day.isoformat(),
             f"{day.year}/{day.month}/{day.day}", f"{day.year}年{day.month}月{day.day}日"]
    return full_width_some(key + name, choose(key, f"form {name}", forms))


def full_width_some(key, text):
    wide = str.maketrans("0123456789.", "０１２３４５６７８９．")
    return text.translate(wide) if pick(key, "wide", 6) == 0 else text


# -- 湖塘镇 ------------------------------------------------------------------------------------

TOWN_GOOD = ["p04", "p13", "p14", "p15", "p16", "p26", "p27", "h01", "h02", "h03"]
TOWN_HEADER = ["序号", "项目名称", "项目代码", "项目业主", "信用代码", "建设性质", "总投资(万元)", "年度计划投资(万元)",
               "年度累计完成投资(万元)", "开工以来累计完成投资(万元)", "是否开工", "开工时间", "计划竣工时间", "存在问题",
               "联系人", "手机", "网格员", "台账页码"]
NAME, CODE, CREDIT, NATURE, TOTAL, PLAN, YTD, CUMULATIVE, STARTED, START, FINISH = 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12

# Project, what is done to its row, what must come of it (severity and kind).
MISTAKES = [
    ("h04", lambda r: r | {CREDIT: another(r[CREDIT], 16)}, "error: both tests of the credit code fail"),
    ("h05", lambda r: r | {CREDIT: "9.13204E+17"}, "error: the spreadsheet destroyed the credit code"),
    ("h06", lambda r: r | {CODE: swap_digit(r[CODE])}, "warning: project code check digit"),
    ("h07", lambda r: r | {CODE: "2603-320412-89-01-12345"}, "error: project code too short"),
    ("h08", lambda r: r | {NAME: None}, "error: no project name"),
    ("h09", lambda r: r | {TOTAL: "约十亿左右?"}, "error: amount cannot be read"),
    ("h10", lambda r: r | {START: "2024-13-45"}, "error: no such day"),
    ("h11", lambda r: r | {CUMULATIVE: r[TOTAL] + 2400}, "error: cumulative above total"),
    ("h12", lambda r: r | {TOTAL: -36000}, "error: negative amount"),
    ("h13", lambda r: r | {NATURE: "新开"}, "error: not one of the allowed kinds"),
    ("h14", lambda r: r | {STARTED: "是", START: "2026年3月2日", FINISH: "2025年12月"}, "error: finish before start"),
    ("h15", lambda r: r | {STARTED: "是", START: None}, "warning: started without a date"),
    ("h16", lambda r: r | {PLAN: r[TOTAL] * 2}, "warning: annual plan above total"),
    ("h17", lambda r: r | {CODE: "办理中", CREDIT: None}, "warning: nothing to recognise the project by"),
    ("h18", lambda r: r | {CODE: "项目代码：" + r[CODE].replace("-", "—").translate(
        str.maketrans("0123456789", "０１２３４５６７８９"))}, "repaired: full-width digits and dashes"),
    ("h19", lambda r: r | {CREDIT: another(r[CREDIT], 17)}, "warning: only the last character of the credit code fails"),
    ("h20", lambda r: r | {START: "2026.1"}, "warning: may be January or a destroyed 2026.10"),
    ("h21", lambda r: r | {CODE: "2018-320412-35-03-501234"}, "info: project code of the old form"),
]


def another(code, at):
    """The code with a wrong character at a place."""
    letter = str((int(code[at]) + 3) % 10) if code[at].isdigit() else USCC_LETTERS[USCC_LETTERS.index(code[at]) - 1]
    return code[:at] + letter + code[at + 1:]


def swap_digit(code):
    return code[:-1] + str((int(code[-1]) + 5) % 10)


def town(projects):
    book = Workbook()
    sheet = book.active
    sheet.title = "湖塘镇4月"
    sheet.append(["湖塘镇重点项目月报（2026年4月，示例数据）"])
    sheet.merge_cells("A1:R1")
    sheet.append(TOWN_HEADER)
    rows = [town_row(projects[key]) for key in TOWN_GOOD]
    rows += [spoil(town_row(projects[key])) for key, spoil, _ in MISTAKES]
    rows += [town_row(projects["h01"]), town_row(projects["p27"])]  # The same rows once more.
    for number, row in enumerate(rows, 1):
        sheet.append([row.get(column) if column else number for column in range(len(TOWN_HEADER))])
    dress(sheet, header=(2, 2), widths=[6, 36, 28, 30, 22, 10, 14, 14, 16, 18, 10, 14, 14, 20, 10, 16, 10, 10])
    save(book, HERE / "inbox/湖塘镇/湖塘镇重点项目月报(4月)最终版.xlsx")


def town_row(p):
    grid = {"p04": "第3网格", "p13": "第5网格"}
    start = town_day(p["key"], p["start"]) if p["started"] else None
    return dict(enumerate([
        None, p["name"], p["code"], p["owner"], p["uscc"], p["nature"], p["total"], p["plan"], p["ytd"], p["cumulative"],
        "是" if p["started"] else "否", start, f"{p['plan_finish'].year}年{p['plan_finish'].month}月",
        "土地指标未落实" if not p["started"] else None, p["contact"], p["phone"], grid.get(p["key"], "第1网格"),
        f"P{pick(p['key'], 'page', 80) + 1}"]))


def town_day(key, day):
    """A date as text, as a date cell, and as the bare number behind a date cell."""
    if key == "h02":
        return day
    if key == "h03":
        return (day - datetime.date(1899, 12, 30)).days
    return f"{day.year}年{day.month}月{day.day}日"


# -- workbooks whose bytes do not depend on the day ----------------------------------------------

def dress(sheet, header, widths):
    for index, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    sheet["A1"].font = Font(bold=True, size=16)
    sheet["A1"].alignment = Alignment(horizontal="center")
    for row in sheet.iter_rows(min_row=header[0], max_row=sheet.max_row, max_col=len(widths)):
        for cell in row:
            cell.border = THIN
            if cell.row <= header[1]:
                cell.font = Font(bold=True)
                cell.fill = PatternFill("solid", fgColor="DDEBF7")
                cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    sheet.freeze_panes = sheet.cell(row=header[1] + 1, column=3)


def save(book, path):
    """Writes a workbook without the time of day in it: openpyxl stamps the file, so the stamps are put back."""
    book.properties.creator = "make_samples.py"
    book.properties.created = WRITTEN
    raw = io.BytesIO()
    book.save(raw)
    path.parent.mkdir(parents=True, exist_ok=True)
    stamp = WRITTEN.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, data)
            part = zipfile.ZipInfo(name, WRITTEN.timetuple()[:6])
            part.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(part, data)


def main():
    projects = load()
    bureau(projects)
    zone(projects)
    town(projects)
    for path in sorted((HERE / "inbox").rglob("*.*")):
        print(path.relative_to(HERE), hashlib.sha256(path.read_bytes()).hexdigest()[:12])


if __name__ == "__main__":
    main()
