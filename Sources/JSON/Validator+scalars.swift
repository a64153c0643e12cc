extension Validator {
    /// A string whose opening quote is here. Returns whether it holds an escape.
    mutating func string() throws(JSONError) -> Bool {
        var offset = position &+ 1
        var hasEscapes = false
        while true {
            offset = Scan.firstSpecial(base, from: offset, to: count, nonASCII: true)
            guard offset < count else { throw JSONError(.unexpectedEnd(expected: .stringEnd), at: count) }
            let byte = base[offset]
            if byte == 0x22 {
                position = offset &+ 1
                return hasEscapes
            }
            if byte == 0x5C {
                hasEscapes = true
                offset = try escape(at: offset)
            } else if byte >= 0x80 {
                offset = try nonASCII(at: offset)
            } else {
                throw JSONError(.controlCharacter, at: offset)
            }
        }
    }

    /// The offset after the escape that starts here.
    @inline(__always)
    private func escape(at start: Int) throws(JSONError) -> Int {
        guard start &+ 1 < count else { throw JSONError(.unexpectedEnd(expected: .stringEnd), at: count) }
        switch base[start &+ 1] {
        case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: return start &+ 2
        case 0x75: return try unicodeEscape(at: start)
        default: throw JSONError(.invalidEscape, at: start)
        }
    }

    private func unicodeEscape(at start: Int) throws(JSONError) -> Int {
        guard start &+ 6 <= count, let unit = Scan.hex4(base, start &+ 2) else {
            throw JSONError(.invalidEscape, at: start)
        }
        if unit & 0xF800 != 0xD800 { return start &+ 6 }
        guard unit < 0xDC00, start &+ 12 <= count, base[start &+ 6] == 0x5C, base[start &+ 7] == 0x75,
            let low = Scan.hex4(base, start &+ 8), low & 0xFC00 == 0xDC00
        else { throw JSONError(.loneSurrogate, at: start) }
        return start &+ 12
    }

    /// The offset after the run of well-formed multi-byte characters that starts here (Unicode table 3-7).
    private func nonASCII(at start: Int) throws(JSONError) -> Int {
        var offset = start
        while offset < count {
            let lead = base[offset]
            if lead < 0x80 { break }
            let length: Int
            var low: UInt8 = 0x80
            var high: UInt8 = 0xBF
            switch lead {
            case 0xC2...0xDF: length = 2
            case 0xE0: (length, low) = (3, 0xA0)
            case 0xED: (length, high) = (3, 0x9F)
            case 0xE1...0xEF: length = 3
            case 0xF0: (length, low) = (4, 0x90)
            case 0xF4: (length, high) = (4, 0x8F)
            case 0xF1...0xF3: length = 4
            default: throw JSONError(.invalidUTF8, at: offset)
            }
            guard offset &+ length <= count, base[offset &+ 1] >= low, base[offset &+ 1] <= high else {
                throw JSONError(.invalidUTF8, at: offset)
            }
            if length > 2, base[offset &+ 2] & 0xC0 != 0x80 { throw JSONError(.invalidUTF8, at: offset) }
            if length > 3, base[offset &+ 3] & 0xC0 != 0x80 { throw JSONError(.invalidUTF8, at: offset) }
            offset &+= length
        }
        return offset
    }

    /// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
    mutating func number() throws(JSONError) {
        let start = position
        var offset = position
        if base[offset] == 0x2D { offset &+= 1 }
        guard offset < count else { throw JSONError(.unexpectedEnd(expected: .digit), at: count) }
        if base[offset] == 0x30 {
            offset &+= 1
            if offset < count, Scan.isDigit(base[offset]) { throw JSONError(.invalidNumber, at: start) }
        } else {
            offset = try digits(from: offset, of: start)
        }
        if offset < count, base[offset] == 0x2E { offset = try digits(from: offset &+ 1, of: start) }
        if offset < count, base[offset] | 0x20 == 0x65 {
            offset &+= 1
            if offset < count, base[offset] == 0x2B || base[offset] == 0x2D { offset &+= 1 }
            var significant = offset
            offset = try digits(from: offset, of: start)
            while significant < offset, base[significant] == 0x30 { significant &+= 1 }
            guard offset &- significant <= JSONDocument.maximumExponentDigits else {
                throw JSONError(.numberOutOfRange, at: start)
            }
        }
        position = offset
    }

    @inline(__always)
    private func digits(from start: Int, of number: Int) throws(JSONError) -> Int {
        var offset = start
        while offset < count, Scan.isDigit(base[offset]) { offset &+= 1 }
        if offset == start {
            if offset >= count { throw JSONError(.unexpectedEnd(expected: .digit), at: count) }
            throw JSONError(.invalidNumber, at: number)
        }
        return offset
    }
}
