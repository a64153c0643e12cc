/// The shapes in which Stability's models draw.
enum StabilityAspectRatio {
    private static let all = [
        (21, 9), (16, 9), (3, 2), (5, 4), (1, 1), (4, 5), (2, 3), (9, 16), (9, 21),
    ]

    /// The one that a picture of these sides has to be cut least for.
    static func nearest(width: Int, height: Int) -> String {
        let nearest = all.min { one, other in
            cut(width, height, to: one) < cut(width, height, to: other)
        }
        guard let (wide, high) = nearest else { return "1:1" }
        return "\(wide):\(high)"
    }

    /// How many times as wide, or as high, as the shape it is.
    private static func cut(_ width: Int, _ height: Int, to shape: (wide: Int, high: Int)) -> Double {
        let one = Double(width * shape.high)
        let other = Double(height * shape.wide)
        return max(one, other) / min(one, other)
    }
}
