package import JSON

extension JSONValue {
    /// Whether it is what somebody has said in words alone: a text, or a list of parts that are.
    package var isTextAlone: Bool {
        switch kind {
        case .string, .null: true
        case .array:
            elements.allSatisfy { part in
                switch part["type"]?.text {
                case .some("text"), .some("input_text"), .some("output_text"): true
                default: false
                }
            }
        default: false
        }
    }
}
