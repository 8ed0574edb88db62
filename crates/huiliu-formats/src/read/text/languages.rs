//! Tables of many languages and the encodings that each is written in: what the finder of encodings is measured by, in
//! tests and in `examples/encodings.rs`.

/// A language's table and encodings.
pub(crate) struct Language {
    pub(crate) name: &'static str,
    /// Labels of the encodings beside those of Unicode.
    pub(crate) encodings: &'static [&'static str],
    pub(crate) table: &'static str,
}

#[rustfmt::skip]
pub(crate) const LANGUAGES: [Language; 20] = [
    Language { name: "simplified Chinese", encodings: &["gb18030"], table: "项目名称,地区,总投资,负责人\n储能电池一期,武汉市,12.5,王伟\n装备制造基地,襄阳市,3.2,李娜\n污水处理厂,宜昌市,8,张强\n中心医院,黄石市,40.1,刘洋\n智慧停车场,荆州市,1.9,陈静\n" },
    Language { name: "names in simplified Chinese", encodings: &["gb18030"], table: "姓名,科室\n王伟,办公室\n赵敏,财务科\n欧阳娜娜,人事科\n张三丰,信息中心\n龚琳,党办\n" },
    Language { name: "traditional Chinese", encodings: &["big5"], table: "專案名稱,縣市,金額,承辦人\n污水處理廠擴建,臺北市,12.5,林志明\n捷運延伸線,高雄市,3.2,陳怡君\n圖書館整修,臺中市,8,黃淑芬\n醫院新建工程,臺南市,40.1,張家豪\n停車場,新竹縣,1.9,李雅婷\n" },
    Language { name: "places in traditional Chinese", encodings: &["big5"], table: "鄉鎮\n板橋區\n淡水區\n羅東鎮\n鹿港鎮\n恆春鎮\n" },
    Language { name: "Hong Kong", encodings: &["big5"], table: "分區,屋苑,單位數目\n中西區,堅尼地城,120\n灣仔區,銅鑼灣道,89\n觀塘區,牛頭角,45\n沙田區,馬鞍山,77\n元朗區,天水圍,31\n" },
    Language { name: "Japanese", encodings: &["shift_jis", "euc-jp", "iso-2022-jp"], table: "氏名,住所,電話\n山田太郎,東京都千代田区,03-1234\nさとう花子,大阪市北区,06-9876\nスズキ次郎,名古屋市中区,052-555\n高橋みどり,札幌市,011-222\n渡辺ケン,福岡県,092-777\n" },
    Language { name: "Japanese towns", encodings: &["shift_jis", "euc-jp", "iso-2022-jp"], table: "市区町村,人口\n横浜市,3750000\n川崎市,1530000\n相模原市,720000\n藤沢市,430000\n茅ヶ崎市,240000\n" },
    Language { name: "Korean", encodings: &["euc-kr"], table: "이름,주소,금액\n김철수,서울특별시 강남구,1200\n이영희,부산광역시 해운대구,340\n박민준,대구광역시,89\n최지우,인천 남동구,77\n정수빈,제주시,5\n" },
    Language { name: "Russian", encodings: &["windows-1251", "koi8-r", "iso-8859-5", "ibm866", "x-mac-cyrillic"], table: "Название,Город,Сумма,Ответственный\nСтроительство дороги,Москва,12.5,Иванов\nШкола и детский сад,Казань,3.2,Петрова\nЗавод бумаги,Пермь,8,Сидоров\nБольница,Уфа,40.1,Кузнецова\nПарковка,Сочи,1.9,Смирнов\n" },
    Language { name: "Ukrainian", encodings: &["windows-1251", "koi8-u"], table: "Назва,Місто,Сума\nБудівництво школи,Київ,12\nЛікарня імені Шевченка,Львів,3\nЇдальня та гуртожиток,Одеса,8\nПід'їзна дорога,Харків,40\nПарк,Дніпро,1\n" },
    Language { name: "French", encodings: &["windows-1252", "iso-8859-15", "macintosh"], table: "Prénom,Ville,Montant\nHélène,Besançon,12\nJérôme,Orléans,3\nFrançois,Nîmes,8\nThérèse,Sète,40\nAmélie,Évreux,1\n" },
    Language { name: "German", encodings: &["windows-1252", "macintosh"], table: "Straße,Ort,Größe\nMünchner Straße,Köln,12\nBäckergasse,Würzburg,3\nSüdring,Lübeck,8\nHöhenweg,Göttingen,40\nAm Mühlbach,Füssen,1\n" },
    Language { name: "Spanish", encodings: &["windows-1252"], table: "Año,Región,Población\n2020,Cádiz,12\n2021,La Coruña,3\n2022,Málaga,8\n2023,Córdoba,40\n2024,Ávila,1\n" },
    Language { name: "Polish", encodings: &["windows-1250", "iso-8859-2"], table: "Imię,Miejscowość,Kwota\nŁukasz,Łódź,12\nMałgorzata,Gdańsk,3\nPaweł,Poznań,8\nZbigniew Dąbrowski,Częstochowa,40\nKrzyś,Świdnica,1\n" },
    Language { name: "Czech", encodings: &["windows-1250", "iso-8859-2"], table: "Jméno,Město,Částka\nJiří Dvořák,Plzeň,12\nZdeňka Nováková,České Budějovice,3\nTomáš Černý,Ústí nad Labem,8\nKateřina,Kroměříž,40\nLuboš,Přerov,1\n" },
    Language { name: "Greek", encodings: &["windows-1253", "iso-8859-7"], table: "Όνομα,Πόλη,Ποσό\nΓιώργος Παπαδόπουλος,Θεσσαλονίκη,12\nΕλένη,Αθήνα,3\nΝίκος Δημητρίου,Πάτρα,8\nΜαρία,Ηράκλειο,40\nΚώστας,Λάρισα,1\n" },
    Language { name: "Turkish", encodings: &["windows-1254"], table: "İsim,Şehir,Tutar\nAyşe Yılmaz,İstanbul,12\nDoğan Güneş,Eskişehir,3\nÇağlar,Iğdır,8\nGülşen,Muğla,40\nOğuz,Şanlıurfa,1\n" },
    Language { name: "Hebrew", encodings: &["windows-1255", "iso-8859-8"], table: "שם,עיר,סכום\nדוד כהן,ירושלים,12\nשרה לוי,תל אביב,3\nיוסף מזרחי,חיפה,8\nרחל,באר שבע,40\nמשה,אילת,1\n" },
    Language { name: "Arabic", encodings: &["windows-1256", "iso-8859-6"], table: "الاسم,المدينة,المبلغ\nمحمد علي,القاهرة,12\nفاطمة حسن,بغداد,3\nأحمد,الرياض,8\nليلى,بيروت,40\nيوسف,تونس,1\n" },
    Language { name: "Thai", encodings: &["windows-874"], table: "ชื่อ,จังหวัด,จำนวน\nสมชาย ใจดี,กรุงเทพมหานคร,12\nสมหญิง,เชียงใหม่,3\nประเสริฐ,ขอนแก่น,8\nมานี,ภูเก็ต,40\nวิชัย,สงขลา,1\n" },
];
