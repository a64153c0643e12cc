/// Why a request head is refused. Every fault ends the connection: after one, nobody can know where the next
/// request begins.
package enum RequestFault: Error, Equatable, CaseIterable, Sendable {
    // The request line
    case malformedRequestLine, malformedMethod, unknownMethod, malformedTarget, targetTooLong
    case malformedVersion, unsupportedVersion
    // Lines
    case bareLineFeed, bareCarriageReturn, foldedField, fieldWithoutColon, emptyFieldName, spaceBeforeColon
    case invalidFieldName, controlInFieldValue, fieldsTooLarge, tooManyFields
    // Host
    case missingHost, duplicateHost, invalidHost, hostMismatch
    // Body length
    case invalidContentLength, duplicateContentLength, contentLengthWithTransferEncoding
    case unsupportedTransferEncoding, duplicateTransferEncoding, transferEncodingInHTTP10

    package var status: Int {
        switch self {
        case .targetTooLong: 414
        case .fieldsTooLarge, .tooManyFields: 431
        case .unknownMethod: 501
        case .unsupportedVersion: 505
        default: 400
        }
    }

    /// What the client is told.
    package var reason: StaticString {
        switch self {
        case .malformedRequestLine: "The request line is not of the form METHOD target HTTP/1.1."
        case .malformedMethod: "The method is not a token."
        case .unknownMethod: "The method is not known here."
        case .malformedTarget: "The request target is not valid."
        case .targetTooLong: "The request target is too long."
        case .malformedVersion: "The protocol version is not valid."
        case .unsupportedVersion: "Only HTTP/1.1 and HTTP/1.0 are spoken here."
        case .bareLineFeed: "A line ends without a carriage return."
        case .bareCarriageReturn: "A carriage return stands without its line feed."
        case .foldedField: "A header field is continued on a second line."
        case .fieldWithoutColon: "A header line has no colon."
        case .emptyFieldName: "A header field has no name."
        case .spaceBeforeColon: "White space stands before a header field's colon."
        case .invalidFieldName: "A header field's name is not a token."
        case .controlInFieldValue: "A header field's value holds a control character."
        case .fieldsTooLarge: "The header fields are too large."
        case .tooManyFields: "There are too many header fields."
        default: framingReason
        }
    }

    private var framingReason: StaticString {
        switch self {
        case .missingHost: "The Host header field is missing."
        case .duplicateHost: "There is more than one Host header field."
        case .invalidHost: "The Host header field is not valid."
        case .hostMismatch: "The request target and the Host header field name different hosts."
        case .invalidContentLength: "The Content-Length header field is not valid."
        case .duplicateContentLength: "There is more than one Content-Length header field."
        case .contentLengthWithTransferEncoding: "Content-Length and Transfer-Encoding exclude each other."
        case .unsupportedTransferEncoding: "The only transfer coding taken is chunked."
        case .duplicateTransferEncoding: "There is more than one Transfer-Encoding header field."
        case .transferEncodingInHTTP10: "HTTP/1.0 has no transfer codings."
        default: "The request is not valid."
        }
    }
}
