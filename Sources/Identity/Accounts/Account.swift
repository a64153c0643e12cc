package import Base

/// A person who can sign in.
package struct Account: Sendable {
    package var id: UUID
    package var email: String
    package var name: String?
    package var isVerified: Bool
    package var isDisabled: Bool
    package var createdAt: Timestamp
    /// `nil`: they come by single sign-on only.
    package var passwordHash: PasswordHash?
    /// Whether a second factor is asked for.
    package var hasTOTP: Bool
    package var isOperator: Bool
}
