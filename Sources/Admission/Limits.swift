/// What one subject may do: an organization, a user, a key, a model, a group of endpoints, an address.
package struct Limits: Equatable, Sendable {
    package var requests = Windows()
    package var tokens = Windows()
    /// Requests under way at once; nil: any number.
    package var concurrent: Int?

    /// How much, in each span of time. nil does not limit, and 0 blocks.
    package struct Windows: Equatable, Sendable {
        package var minute: Int?
        package var hour: Int?
        package var day: Int?
        /// A calendar month in the organization's zone.
        package var month: Int?

        package init(minute: Int? = nil, hour: Int? = nil, day: Int? = nil, month: Int? = nil) {
            self.minute = minute
            self.hour = hour
            self.day = day
            self.month = month
        }
    }

    /// More than this is nobody's limit: up to here the windows' arithmetic is exact.
    package static let largest = 100_000_000_000
    package static let largestConcurrent = 1_000_000

    package init(requests: Windows = Windows(), tokens: Windows = Windows(), concurrent: Int? = nil) {
        self.requests = requests
        self.tokens = tokens
        self.concurrent = concurrent
    }

    /// Whether anything is limited at all.
    package var isEmpty: Bool { self == Limits() }
}
