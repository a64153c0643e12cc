import HTTPWire

/// Where a server has an address for each deployment of a model, and is asked by a version of its API: Azure, before its
/// addresses were OpenAI's.
package struct DeploymentAddress: Equatable, Sendable {
    /// `2024-10-21`
    package let version: String

    /// nil where it could be more than a version.
    package init?(version: String) {
        guard (1...64).contains(version.utf8.count),
            version.utf8.allSatisfy({ byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x2D
                    || byte == 0x2E
            })
        else { return nil }
        self.version = version
    }

    /// The same request at the address of the deployment that goes by the model's name.
    func place(_ request: UpstreamRequest, _ model: String) throws(UpstreamRequest.Unsayable)
        -> UpstreamRequest
    {
        guard model != ".", model != ".." else {
            throw UpstreamRequest.Unsayable("model", "\"\(model)\" is no name of a deployment")
        }
        var request = request
        request.path = "/deployments/\(PercentCoding.encode(model))\(request.path)?api-version=\(version)"
        return request
    }
}
