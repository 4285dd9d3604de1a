namespace MLNet.PQCompression.Graph;

/// <summary>
/// An operator, or a form of one, that this library has no kernel for. Its node stays as the document has it; the values it makes may be of any type and number, and their shapes are known when it has run.
/// </summary>
/// <param name="Type">The ONNX operator type.</param>
/// <param name="Domain">The operator's domain, empty for ONNX's own.</param>
/// <param name="Reason">Why it is foreign.</param>
/// <param name="HasSubgraph">Whether it runs graphs of its own: If, Loop, Scan and their kin.</param>
public sealed record Foreign(string Type, string Domain, string Reason, bool HasSubgraph = false) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => Domain.Length == 0 ? Type : $"{Domain}.{Type}";
}
