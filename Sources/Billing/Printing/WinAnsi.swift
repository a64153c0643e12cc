/// The 217 characters that every reader of PDF has in its own fonts.
enum WinAnsi {
    /// `text` with what is not among them in letters that are.
    static func encode(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for character in text {
            if let byte = places[character] {
                bytes.append(byte)
            } else if character.isWhitespace {
                bytes.append(0x20)
            } else {
                for scalar in character.unicodeScalars {
                    if let byte = places[Character(scalar)] {
                        bytes.append(byte)
                    } else {
                        bytes.append(contentsOf: Transliteration.ascii(of: scalar).utf8)
                    }
                }
            }
        }
        return bytes
    }

    /// By character and not by code: however an é is put together, it is one.
    private static let places: [Character: UInt8] = {
        var places: [Character: UInt8] = [:]
        for byte in Array(0x20...0x7E) + Array(0xA0...0xFF) as [UInt8] {
            places[Character(Unicode.Scalar(byte))] = byte
        }
        // Where Latin-1 has nothing; 81, 8D, 8F, 90 and 9D are nothing here either.
        let others: [(UInt8, Character)] = [
            (0x80, "€"), (0x82, "‚"), (0x83, "ƒ"), (0x84, "„"), (0x85, "…"), (0x86, "†"), (0x87, "‡"),
            (0x88, "ˆ"), (0x89, "‰"), (0x8A, "Š"), (0x8B, "‹"), (0x8C, "Œ"), (0x8E, "Ž"), (0x91, "‘"),
            (0x92, "’"), (0x93, "“"), (0x94, "”"), (0x95, "•"), (0x96, "–"), (0x97, "—"), (0x98, "˜"),
            (0x99, "™"), (0x9A, "š"), (0x9B, "›"), (0x9C, "œ"), (0x9E, "ž"), (0x9F, "Ÿ"),
        ]
        for (byte, character) in others { places[character] = byte }
        return places
    }()
}
