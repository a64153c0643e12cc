package import Base

/// What an organization has used in some time.
package struct Overview: Sendable {
    package var totals = UsageTotals()
    /// Of the time before; nil where nobody asked.
    package var before: UsageTotals?
    /// In their order; where nothing was used there is none.
    package var points: [Point] = []
    /// Those that were charged most first.
    package var groups: [Group] = []
    /// Whether there are more groups than these.
    package var hasMoreGroups = false

    package struct Point: Sendable {
        package var start: Timestamp
        package var totals: UsageTotals
    }

    package struct Group: Sendable {
        /// The provider's or model's name, the key's or user's id, or the tag: `team=search`.
        package var name: String
        package var totals: UsageTotals
    }
}
