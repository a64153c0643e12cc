/// Letters of other alphabets in those of ours. A letter's name in Unicode says most of it: LATIN SMALL LETTER L WITH
/// STROKE is an l, HIRAGANA LETTER KA a ka.
enum Transliteration {
    /// Readable where that can be; otherwise the code: `[U+5F35]`.
    static func ascii(of scalar: Unicode.Scalar) -> String {
        switch scalar.properties.generalCategory {
        // Accents that stand alone, and what is not seen.
        case .nonspacingMark, .enclosingMark, .format, .control: return ""
        case .dashPunctuation: return "-"
        case .decimalNumber: return scalar.properties.numericType == nil ? "?" : digit(scalar)
        default: break
        }
        if scalar == "\u{2212}" { return "-" }
        if let name = scalar.properties.name, let text = spelled(name) { return text }
        let code = String(scalar.value, radix: 16, uppercase: true)
        return "[U+\(String(repeating: "0", count: max(0, 4 - code.count)))\(code)]"
    }

    private static func digit(_ scalar: Unicode.Scalar) -> String {
        scalar.properties.numericValue.map { String(Int($0)) } ?? "?"
    }

    private static func spelled(_ name: String) -> String? {
        let words = name.split(separator: " ").map(String.init)
        guard words.count >= 3 else { return nil }
        let isLetter = words[1] == "LETTER" || words[1] == "SYLLABLE"
        let isCased = words[1] == "SMALL" || words[1] == "CAPITAL"
        guard isLetter || isCased && (words[2] == "LETTER" || words[2] == "LIGATURE") else { return nil }
        // LATIN CAPITAL LETTER O WITH STROKE AND ACUTE: only the O.
        let rest = words.dropFirst(isLetter ? 2 : 3).prefix { $0 != "WITH" }.joined(separator: " ")
        guard let text = spelled(rest, in: words[0])?.lowercased() else { return nil }
        return words[1] == "CAPITAL" ? text.prefix(1).uppercased() + text.dropFirst() : text
    }

    private static func spelled(_ letter: String, in alphabet: String) -> String? {
        switch alphabet {
        case "LATIN": letter.utf8.count <= 2 ? letter : latin[letter]
        case "GREEK": greek[letter]
        case "CYRILLIC": cyrillic[letter]
        case "HIRAGANA", "KATAKANA", "HANGUL": letter.split(separator: " ").last.map { String($0) }
        default: nil
        }
    }

    private static let latin = [
        "DOTLESS I": "I", "LONG S": "S", "SHARP S": "SS", "ENG": "NG", "SCHWA": "E", "EZH": "ZH",
        "THORN": "TH", "FFI": "FFI", "FFL": "FFL", "OPEN E": "E", "OPEN O": "O",
    ]

    private static let greek = [
        "ALPHA": "A", "BETA": "V", "GAMMA": "G", "DELTA": "D", "EPSILON": "E", "ZETA": "Z", "ETA": "I",
        "THETA": "TH", "IOTA": "I", "KAPPA": "K", "LAMDA": "L", "MU": "M", "NU": "N", "XI": "X",
        "OMICRON": "O", "PI": "P", "RHO": "R", "SIGMA": "S", "FINAL SIGMA": "S", "TAU": "T",
        "UPSILON": "Y", "PHI": "F", "CHI": "CH", "PSI": "PS", "OMEGA": "O",
    ]

    private static let cyrillic = [
        "A": "A", "BE": "B", "VE": "V", "GHE": "G", "DE": "D", "IE": "E", "IO": "YO", "ZHE": "ZH", "ZE": "Z",
        "I": "I", "SHORT I": "Y", "KA": "K", "EL": "L", "EM": "M", "EN": "N", "O": "O", "PE": "P", "ER": "R",
        "ES": "S", "TE": "T", "U": "U", "EF": "F", "HA": "KH", "TSE": "TS", "CHE": "CH", "SHA": "SH",
        "SHCHA": "SHCH", "HARD SIGN": "", "YERU": "Y", "SOFT SIGN": "", "E": "E", "YU": "YU", "YA": "YA",
        "UKRAINIAN IE": "YE", "BYELORUSSIAN-UKRAINIAN I": "I", "YI": "YI", "SHORT U": "U", "DJE": "DJ",
        "JE": "J", "LJE": "LJ", "NJE": "NJ", "TSHE": "C", "DZHE": "DZ", "GJE": "GJ", "KJE": "KJ", "DZE": "DZ",
    ]
}
