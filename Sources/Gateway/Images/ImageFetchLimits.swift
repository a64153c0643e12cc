/// How much is fetched for one request, and how long that may take.
package struct ImageFetchLimits: Sendable {
    /// More images than this are not fetched for one request.
    package var count = 20
    package var largestImage = 10 * 1024 * 1024
    /// Of all images of a request together.
    package var largestTotal = 20 * 1024 * 1024
    /// For one image, wherever it leads.
    package var time = Duration.seconds(10)
    package var atOnce = 4
    /// How often one may lead elsewhere.
    package var redirects = 3

    package init() {}
}
