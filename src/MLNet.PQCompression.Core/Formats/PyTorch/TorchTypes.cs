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

    private static readonly PickleGlobal RebuildParameterWithState = new("torch._utils", "_rebuild_parameter_with_state");
    private static readonly PickleGlobal RebuildFromType = new("torch._tensor", "_rebuild_from_type_v2");

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

    /// <summary>What a call of <paramref name="function"/> makes: of the few names above the value, of any other an opaque one.</summary>
    /// <exception cref="InvalidModelException">A tensor's sizes are out of range.</exception>
    public static object? Call(PickleGlobal function, object?[] arguments)
    {
        if (function == OrderedDict && arguments.Length == 0)
            return new PickleDict();
        if (function == Size && arguments is [PickleTuple sizes])
            return sizes;
        if ((function == RebuildParameter || function == RebuildParameterWithState) && arguments is [PickleTensor data, ..])
            return data;
        if (function == RebuildFromType && arguments is [PickleGlobal inner, _, PickleTuple passed, ..] && inner != RebuildFromType)
            return Call(inner, passed.Items);
        if ((function == RebuildTensor && arguments.Length == 4) || (function == RebuildTensor2 && arguments.Length is 6 or 7))
            if (arguments is [PickleStorage storage, long offset, PickleTuple shape, PickleTuple strides, ..])
                return new PickleTensor(storage, offset, RawTensor.ShapeOf(Integers(shape)), Integers(strides));
        return new PickleOpaque(function);
    }

    /// <summary>The storage that a persistent id ('storage', type, key, location, count[, view]) stands for; an opaque value for a type that is not read.</summary>
    /// <exception cref="InvalidModelException">It is no id as torch writes it.</exception>
    public static object Persistent(object? id) => id switch
    {
        PickleTuple { Items: ["storage", PickleGlobal type, string key, string, long and >= 0 and var count, .. var rest] } when rest is [] or [null] =>
            Storages.TryGetValue(type, out TensorElementType element) ? new PickleStorage(element, key, count) : new PickleOpaque(type),
        _ => throw new InvalidModelException("the pickle has a persistent id that is not a storage as torch writes it"),
    };

    private static long[] Integers(PickleTuple tuple) =>
        [.. tuple.Items.Select(i => i is long value ? value : throw new InvalidModelException("a tensor's sizes and strides are integers"))];
}
