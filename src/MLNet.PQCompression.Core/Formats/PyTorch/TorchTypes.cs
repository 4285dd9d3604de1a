using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.PyTorch;

/// <summary>The few Python names that a state dict needs, and what stands for a call of them.</summary>
internal static class TorchTypes
{
    private static readonly PickleGlobal OrderedDict = new("collections", "OrderedDict");
    private static readonly PickleGlobal Size = new("torch", "Size");
    private static readonly PickleGlobal RebuildTensor = new("torch._utils", "_rebuild_tensor");
    private static readonly PickleGlobal RebuildTensor2 = new("torch._utils", "_rebuild_tensor_v2");
    private static readonly PickleGlobal RebuildParameter = new("torch._utils", "_rebuild_parameter");

    private static readonly HashSet<PickleGlobal> Callable = [OrderedDict, Size, RebuildTensor, RebuildTensor2, RebuildParameter];

    private static readonly Dictionary<PickleGlobal, TensorElementType> Storages = new()
    {
        [new("torch", "FloatStorage")] = TensorElementType.Float32,
        [new("torch", "HalfStorage")] = TensorElementType.Float16,
        [new("torch", "BFloat16Storage")] = TensorElementType.BFloat16,
        [new("torch", "DoubleStorage")] = TensorElementType.Float64,
        [new("torch", "BoolStorage")] = TensorElementType.Bool,
        [new("torch", "CharStorage")] = TensorElementType.Int8,
        [new("torch", "ByteStorage")] = TensorElementType.UInt8,
        [new("torch", "ShortStorage")] = TensorElementType.Int16,
        [new("torch", "IntStorage")] = TensorElementType.Int32,
        [new("torch", "LongStorage")] = TensorElementType.Int64,
    };

    /// <summary>Admits a name or refuses the file.</summary>
    public static PickleGlobal Import(string module, string name)
    {
        var global = new PickleGlobal(module, name);
        return Callable.Contains(global) || Storages.ContainsKey(global)
            ? global
            : throw new InvalidModelException(
                $"the pickle asks for {global}, which is refused: only tensors, dictionaries, lists, numbers and strings are read. Save model.state_dict() and nothing else.");
    }

    /// <summary>What a call of <paramref name="function"/> makes.</summary>
    public static object? Call(PickleGlobal function, object?[] arguments)
    {
        if (function == OrderedDict && arguments.Length == 0)
            return new PickleDict();
        if (function == Size && arguments is [PickleTuple sizes])
            return sizes;
        if (function == RebuildParameter && arguments is [PickleTensor data, _, _])
            return data;
        if ((function == RebuildTensor && arguments.Length == 4) || (function == RebuildTensor2 && arguments.Length is 6 or 7))
            if (arguments is [PickleStorage storage, long offset, PickleTuple shape, PickleTuple strides, ..])
                return new PickleTensor(storage, offset, RawTensor.ShapeOf(Integers(shape)), Integers(strides));
        throw new InvalidModelException($"the pickle calls {function} with {arguments.Length} arguments of other kinds than expected");
    }

    /// <summary>The storage that a persistent id ('storage', type, key, location, count[, view]) stands for.</summary>
    public static PickleStorage Persistent(object? id) => id switch
    {
        PickleTuple { Items: ["storage", PickleGlobal type, string key, string, long and >= 0 and var count, .. var rest] }
            when Storages.TryGetValue(type, out TensorElementType element) && rest is [] or [null] => new(element, key, count),
        _ => throw new InvalidModelException("the pickle has a persistent id that is not a storage as torch writes it"),
    };

    private static long[] Integers(PickleTuple tuple) =>
        [.. tuple.Items.Select(i => i is long value ? value : throw new InvalidModelException("a tensor's sizes and strides are integers"))];
}
