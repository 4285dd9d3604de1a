using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.PyTorch;

// What a restricted pickle can build, beside long, BigInteger, double, bool, string, byte[], null and List<object?>.

/// <summary>A name that stood in a pickle where Python would import it. It is only ever compared, never called.</summary>
internal sealed record PickleGlobal(string Module, string Name)
{
    public override string ToString() => $"{Module}.{Name}";
}

/// <summary>
/// What stands for an object that no state dict needs (a Namespace, a Counter, a device, a numpy scalar): the name under which Python would have made it.
/// Nothing is called or built, and what the pickle would put into the object is dropped.
/// </summary>
internal sealed record PickleOpaque(PickleGlobal Type)
{
    public override string ToString() => Type.ToString();
}

/// <summary>A Python tuple.</summary>
internal sealed record PickleTuple(object?[] Items);

/// <summary>A Python dict or OrderedDict in insertion order. Entries whose key is not a string are dropped: no model is keyed otherwise.</summary>
internal sealed class PickleDict : OrderedDictionary<string, object?>
{
    public PickleDict() : base(StringComparer.Ordinal) { }
}

/// <summary>A torch storage: a flat run of elements that lies elsewhere in the file and that several tensors may share.</summary>
internal sealed record PickleStorage(TensorElementType Type, string Key, long Count);

/// <summary>A torch tensor: a strided view of a storage.</summary>
internal sealed record PickleTensor(PickleStorage Storage, long Offset, TensorShape Shape, long[] Strides);
