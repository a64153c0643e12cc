extension RequestHeadDraft {
    /// Takes one field line, given without its line end.
    mutating func takeField(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) throws(RequestFault) {
        let field = try FieldLine(bytes, line)
        try takeMeaning(bytes, field)
        lines.append(HTTPFields.Line(field))
    }

    /// The few fields that decide where the request ends and what becomes of the connection.
    @inline(__always)
    private mutating func takeMeaning(
        _ bytes: UnsafeRawBufferPointer, _ field: FieldLine
    ) throws(RequestFault) {
        switch field.name.count {
        case 4 where bytes.matches(field.name, "host"):
            if host != nil { throw .duplicateHost }
            try HostValue.validate(bytes, field.value)
            host = field.value
        case 6 where bytes.matches(field.name, "expect"):
            let isKnown = bytes.matches(field.value, "100-continue")
            expectation = isKnown && expectation != .unsupported ? .continues : .unsupported
        case 10 where bytes.matches(field.name, "connection"):
            takeConnection(bytes, field.value)
        case 14 where bytes.matches(field.name, "content-length"):
            if contentLength != nil { throw .duplicateContentLength }
            contentLength = try Self.length(bytes, field.value)
            lengthRange = field.value
        case 17 where bytes.matches(field.name, "transfer-encoding"):
            if isChunked { throw .duplicateTransferEncoding }
            guard bytes.matches(field.value, "chunked") else { throw .unsupportedTransferEncoding }
            isChunked = true
        default:
            break
        }
    }

    private mutating func takeConnection(_ bytes: UnsafeRawBufferPointer, _ value: Range<Int>) {
        bytes.forEachListElement(in: value) { option in
            switch option.count {
            case 5 where bytes.matches(option, "close"): closes = true
            case 7 where bytes.matches(option, "upgrade"): upgrades = true
            case 10 where bytes.matches(option, "keep-alive"): keepsAlive = true
            default: break
            }
        }
    }

    /// Decimal digits and nothing else: no sign, no list, no leading zero, at most 18 of them.
    static func length(
        _ bytes: UnsafeRawBufferPointer, _ value: Range<Int>
    ) throws(RequestFault) -> Int {
        guard (1...18).contains(value.count), value.count == 1 || bytes[value.lowerBound] != ASCII.zero
        else { throw .invalidContentLength }
        var length = 0
        for index in value {
            guard ASCII.isDigit(bytes[index]) else { throw .invalidContentLength }
            length = length &* 10 &+ Int(bytes[index] &- ASCII.zero)
        }
        return length
    }
}

/// One header line cut at its colon, each half checked.
struct FieldLine {
    let name: Range<Int>
    /// Without the white space around it.
    let value: Range<Int>

    @inline(__always)
    init(name: Range<Int>, value: Range<Int>) {
        self.name = name
        self.value = value
    }

    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) throws(RequestFault) {
        var index = line.lowerBound
        while index < line.upperBound, ByteSet.token.contains(bytes[index]) { index &+= 1 }
        guard index < line.upperBound else { throw .fieldWithoutColon }
        guard bytes[index] == ASCII.colon else { throw Self.fault(bytes, line, at: index) }
        guard index > line.lowerBound else { throw .emptyFieldName }
        name = line.lowerBound..<index
        value = bytes.trimmed(index + 1..<line.upperBound)
        if let control = bytes.firstControl(in: value) {
            throw bytes[control] == ASCII.carriageReturn ? .bareCarriageReturn : .controlInFieldValue
        }
    }

    private static func fault(
        _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, at index: Int
    ) -> RequestFault {
        let byte = bytes[index]
        if byte == ASCII.carriageReturn { return .bareCarriageReturn }
        guard byte == ASCII.space || byte == ASCII.tab else { return .invalidFieldName }
        return index == line.lowerBound ? .foldedField : .spaceBeforeColon
    }
}
