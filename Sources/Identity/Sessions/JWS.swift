import Base
package import JSON

/// A signed text in its compact form (RFC 7515), taken apart. Nothing in it may be believed before its signature was
/// verified.
package struct JWS: Sendable {
    /// Longer ones are refused unread.
    package static let mostBytes = 16_384

    /// As the header says. Which algorithm verifies is decided by the key.
    package let algorithm: String
    package let keyIdentifier: String?
    package let header: JSONDocument
    package let payload: [UInt8]
    /// What was signed.
    package let signingInput: [UInt8]
    package let signature: [UInt8]

    package init(
        parsing text: some Collection<UInt8>, mostBytes: Int = Self.mostBytes
    ) throws(JSONWebTokenFault) {
        guard text.count <= mostBytes else { throw .tooLong }
        let text = Array(text)
        let dot = UInt8(ascii: ".")
        guard let first = text.firstIndex(of: dot), let second = text[(first + 1)...].firstIndex(of: dot),
            !text[(second + 1)...].contains(dot)
        else { throw .notThreeParts }
        guard let header = Base64.decodeURL(text[..<first]),
            let payload = Base64.decodeURL(text[(first + 1)..<second]),
            let signature = Base64.decodeURL(text[(second + 1)...])
        else { throw .notBase64URL }
        guard let document = try? JSONDocument(parsing: header), document.root.kind == .object else {
            throw .headerIsNoObject
        }
        // What is critical must be understood, and no extension is.
        guard document["crit"] == nil else { throw .unexpectedHeaderMember }
        guard let algorithm = document["alg"]?.string else { throw .wrongAlgorithm }
        let keyIdentifier = document["kid"]
        guard keyIdentifier == nil || keyIdentifier?.kind == .string else { throw .wrongKeyIdentifier }
        self.algorithm = algorithm
        self.keyIdentifier = keyIdentifier?.string
        self.header = document
        self.payload = payload
        signingInput = Array(text[..<second])
        self.signature = signature
    }
}
