/// The methods this house serves and sends. Any other token is answered with 501.
package enum HTTPMethod: UInt8, CaseIterable, Sendable, CustomStringConvertible {
    case get, head, post, put, patch, delete, options

    package var name: StaticString {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        }
    }

    package var description: String { "\(name)" }

    /// Methods are case-sensitive.
    init?(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        for method in Self.allCases {
            let name = method.name
            if name.utf8CodeUnitCount == range.count,
                (0..<range.count).allSatisfy({ bytes[range.lowerBound &+ $0] == name.utf8Start[$0] })
            {
                self = method
                return
            }
        }
        return nil
    }

    package init?(_ text: String) {
        guard let method = Self.allCases.first(where: { $0.description == text }) else { return nil }
        self = method
    }
}

package enum HTTPVersion: UInt8, Sendable {
    case http10, http11
}
