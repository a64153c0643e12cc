/// How many tokens of each kind a reply took. No token is counted in two kinds.
package struct ChatUsage: Equatable, Sendable {
    package var input: Int
    package var output: Int

    package init(input: Int = 0, output: Int = 0) {
        self.input = input
        self.output = output
    }
}
