/// Why a token counts for nothing. For the log: whoever presents one learns only that it does not count.
package enum JSONWebTokenFault: String, Error, CaseIterable, Sendable {
    case tooLong, notThreeParts, notBase64URL
    case headerIsNoObject, unexpectedHeaderMember, wrongAlgorithm, wrongType, wrongKeyIdentifier
    case claimsAreNoObject, wrongIssuer, wrongAudience, malformedClaim
    case expired, notYetValid, livesTooLong
    case retiredKey, wrongSignature
}
