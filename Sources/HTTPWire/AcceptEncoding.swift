/// Which content codings a client takes (RFC 9110, 12.5.3), of those a static file may be kept in.
package struct AcceptEncoding: Equatable, Sendable {
    package private(set) var brotli = false
    package private(set) var gzip = false

    /// - Parameter values: those of every `Accept-Encoding` field.
    package init(_ values: [ArraySlice<UInt8>]) {
        var named: (brotli: Bool?, gzip: Bool?, any: Bool?) = (nil, nil, nil)
        for value in values {
            value.withUnsafeBytes { bytes in
                bytes.forEachListElement(in: 0..<bytes.count) { element in
                    let semicolon = element.first { bytes[$0] == ASCII.semicolon } ?? element.upperBound
                    let coding = bytes.trimmed(element.lowerBound..<semicolon)
                    let takes = Self.takes(bytes, semicolon..<element.upperBound)
                    if bytes.matches(coding, "br") { named.brotli = takes }
                    if bytes.matches(coding, "gzip") || bytes.matches(coding, "x-gzip") { named.gzip = takes }
                    if bytes.matches(coding, "*") { named.any = takes }
                }
            }
        }
        brotli = named.brotli ?? named.any ?? false
        gzip = named.gzip ?? named.any ?? false
    }

    /// Whether the parameters leave a weight above zero; a malformed weight counts as zero.
    private static func takes(_ bytes: UnsafeRawBufferPointer, _ parameters: Range<Int>) -> Bool {
        let weight = bytes.trimmed(parameters.dropFirst().startIndex..<parameters.upperBound)
        if weight.isEmpty { return true }
        let start = weight.lowerBound
        guard weight.count >= 3, bytes.matches(start..<start + 2, "q=") else { return false }
        let digits = start + 2..<weight.upperBound
        guard digits.count <= 5, digits.allSatisfy({ ASCII.isDigit(bytes[$0]) || bytes[$0] == ASCII.dot })
        else { return false }
        return digits.contains { bytes[$0] != ASCII.zero && bytes[$0] != ASCII.dot }
    }
}
