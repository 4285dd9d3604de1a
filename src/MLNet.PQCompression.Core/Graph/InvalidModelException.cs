namespace MLNet.PQCompression.Graph;

/// <summary>A model that cannot be used: malformed, truncated, of the wrong kind, or with parts that do not fit each other.</summary>
public class InvalidModelException : Exception
{
    /// <summary>Creates the exception.</summary>
    public InvalidModelException(string message) : base(message) { }

    /// <summary>Creates the exception with its cause.</summary>
    public InvalidModelException(string message, Exception innerException) : base(message, innerException) { }
}

/// <summary>A well-formed model that uses an operator, or a form of one, that this library does not compute.</summary>
public sealed class UnsupportedOperatorException : InvalidModelException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="operatorName">The ONNX operator type.</param>
    /// <param name="nodeName">The node.</param>
    /// <param name="reason">What is not supported, and what would be.</param>
    public UnsupportedOperatorException(string operatorName, string nodeName, string reason)
        : base($"Node '{nodeName}' ({operatorName}): {reason}")
    {
        Reason = reason;
        OperatorName = operatorName;
        NodeName = nodeName;
    }

    /// <summary>The ONNX operator type.</summary>
    public string OperatorName { get; }

    /// <summary>The node's name.</summary>
    public string NodeName { get; }

    /// <summary>What is not supported, and what would be.</summary>
    public string Reason { get; }
}
