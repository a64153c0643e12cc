/// The one pass that proves a text well formed and indexes its objects and arrays.
struct Validator {
    let base: UnsafePointer<UInt8>
    let count: Int
    let maximumDepth: Int
    var position = 0
    var containers: [Container] = []
    var keys: KeyStack

    init(_ bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int) {
        // An empty buffer has no address; with a count of zero this one is never read.
        base = bytes.baseAddress ?? UnsafePointer(bitPattern: 1)!
        count = bytes.count
        self.maximumDepth = maximumDepth
        keys = KeyStack(base: base, count: bytes.count)
        containers.reserveCapacity(min(64, bytes.count / 16))
    }

    /// Validates everything and returns where the root value is.
    mutating func document() throws(JSONError) -> ByteSpan {
        if count >= 3, base[0] == 0xEF, base[1] == 0xBB, base[2] == 0xBF {
            throw JSONError(.byteOrderMark, at: 0)
        }
        skipWhitespace()
        guard position < count else { throw JSONError(.empty, at: count) }
        let start = position
        try value(depth: 0)
        let end = position
        skipWhitespace()
        guard position == count else { throw JSONError(.bytesAfterEnd, at: position) }
        return ByteSpan(start, end)
    }

    @inline(__always)
    mutating func skipWhitespace() {
        while position < count, Scan.isWhitespace(base[position]) { position &+= 1 }
    }

    /// A value that starts here; white space has been skipped.
    private mutating func value(depth: Int) throws(JSONError) {
        guard position < count else { throw JSONError(.unexpectedEnd(expected: .value), at: count) }
        switch base[position] {
        case 0x22: _ = try string()
        case 0x7B: try object(depth: depth)
        case 0x5B: try array(depth: depth)
        case 0x74: try literal(0x6575_7274, length: 4)
        case 0x6E: try literal(0x6C6C_756E, length: 4)
        case 0x66: try literalFalse()
        case 0x2D, 0x30...0x39: try number()
        default: throw JSONError(.unexpectedCharacter(expected: .value), at: position)
        }
    }

    private mutating func object(depth: Int) throws(JSONError) {
        let index = try open(depth: depth)
        if position < count, base[position] == 0x7D { return close(index) }
        let firstKey = keys.open()
        while true {
            let keyStart = position
            guard keyStart < count else { throw JSONError(.unexpectedEnd(expected: .key), at: count) }
            guard base[keyStart] == 0x22 else {
                let isFirst = keys.count == firstKey.entries
                throw JSONError(.unexpectedCharacter(expected: isFirst ? .keyOrEnd : .key), at: keyStart)
            }
            let hasEscapes = try string()
            if !keys.insert(ByteSpan(keyStart &+ 1, position &- 1), hasEscapes: hasEscapes, since: firstKey) {
                throw keys.duplicate(ByteSpan(keyStart &+ 1, position &- 1))
            }
            try expectColon()
            try value(depth: depth &+ 1)
            skipWhitespace()
            guard position < count else {
                throw JSONError(.unexpectedEnd(expected: .commaOrObjectEnd), at: count)
            }
            if base[position] == 0x2C {
                position &+= 1
                skipWhitespace()
            } else if base[position] == 0x7D {
                keys.close(firstKey)
                return close(index)
            } else {
                throw JSONError(.unexpectedCharacter(expected: .commaOrObjectEnd), at: position)
            }
        }
    }

    private mutating func array(depth: Int) throws(JSONError) {
        let index = try open(depth: depth)
        if position < count, base[position] == 0x5D { return close(index) }
        while true {
            try value(depth: depth &+ 1)
            skipWhitespace()
            guard position < count else {
                throw JSONError(.unexpectedEnd(expected: .commaOrArrayEnd), at: count)
            }
            if base[position] == 0x2C {
                position &+= 1
                skipWhitespace()
            } else if base[position] == 0x5D {
                return close(index)
            } else {
                throw JSONError(.unexpectedCharacter(expected: .commaOrArrayEnd), at: position)
            }
        }
    }

    /// Steps over the opening bracket and the white space behind it.
    @inline(__always)
    private mutating func open(depth: Int) throws(JSONError) -> Int {
        guard depth < maximumDepth else { throw JSONError(.tooDeep(limit: maximumDepth), at: position) }
        let index = containers.count
        containers.append(Container(end: 0, next: 0))
        position &+= 1
        skipWhitespace()
        return index
    }

    @inline(__always)
    private mutating func close(_ index: Int) {
        position &+= 1
        containers[index] = Container(
            end: UInt32(truncatingIfNeeded: position), next: UInt32(truncatingIfNeeded: containers.count))
    }

    @inline(__always)
    private mutating func expectColon() throws(JSONError) {
        skipWhitespace()
        guard position < count else { throw JSONError(.unexpectedEnd(expected: .colon), at: count) }
        guard base[position] == 0x3A else {
            throw JSONError(.unexpectedCharacter(expected: .colon), at: position)
        }
        position &+= 1
        skipWhitespace()
    }

    @inline(__always)
    private mutating func literal(_ word: UInt32, length: Int) throws(JSONError) {
        guard count &- position >= 4 else {
            throw JSONError(.unexpectedCharacter(expected: .value), at: position)
        }
        let found = UInt32(littleEndian: UnsafeRawPointer(base + position).loadUnaligned(as: UInt32.self))
        guard found == word else { throw JSONError(.unexpectedCharacter(expected: .value), at: position) }
        position &+= length
    }

    private mutating func literalFalse() throws(JSONError) {
        let start = position
        position &+= 1
        guard count &- position >= 4 else {
            throw JSONError(.unexpectedCharacter(expected: .value), at: start)
        }
        let found = UInt32(littleEndian: UnsafeRawPointer(base + position).loadUnaligned(as: UInt32.self))
        guard found == 0x6573_6C61 else { throw JSONError(.unexpectedCharacter(expected: .value), at: start) }
        position &+= 4
    }
}
