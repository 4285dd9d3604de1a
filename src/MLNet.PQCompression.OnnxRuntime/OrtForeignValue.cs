using System.Globalization;
using System.Numerics;
using Microsoft.ML.OnnxRuntime;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.OnnxRuntime;

/// <summary>A value that ONNX Runtime holds. Its memory is given back when nothing refers to it.</summary>
internal sealed class OrtForeignValue(OrtValue value) : ForeignValue(value.IsTensor ? OrtTensors.ShapeOf(value.GetTensorTypeAndShape()) : new(0))
{
    private const int Shown = 8;

    /// <summary>The value for a call, which does not dispose of it.</summary>
    public OrtValue Share() => value;

    /// <inheritdoc/>
    public override long[]? ToIntegers() => !value.IsTensor ? null : value.GetTensorTypeAndShape().ElementDataType switch
    {
        TensorElementType.Bool => Array.ConvertAll(value.GetTensorDataAsSpan<bool>().ToArray(), v => v ? 1L : 0),
        TensorElementType.Int8 => Integers<sbyte>(),
        TensorElementType.UInt8 => Integers<byte>(),
        TensorElementType.Int16 => Integers<short>(),
        TensorElementType.UInt16 => Integers<ushort>(),
        TensorElementType.Int32 => Integers<int>(),
        TensorElementType.UInt32 => Integers<uint>(),
        TensorElementType.Int64 => Integers<long>(),
        TensorElementType.UInt64 => Integers<ulong>(),
        _ => null,
    };

    /// <inheritdoc/>
    public override string[]? ToStrings() => value.IsTensor && value.GetTensorTypeAndShape().ElementDataType == TensorElementType.String ? value.GetStringTensorAsArray() : null;

    /// <inheritdoc/>
    public override string Describe()
    {
        if (!value.IsTensor)
            return value.OnnxType == OnnxValueType.ONNX_TYPE_SEQUENCE ? $"a sequence of {value.GetValueCount()}" : value.OnnxType.ToString();
        TensorElementType type = value.GetTensorTypeAndShape().ElementDataType;
        string[] elements = ToStrings() ?? ToIntegers()?.Take(Shown + 1).Select(v => type == TensorElementType.Bool ? v != 0 ? "True" : "False" : v.ToString(CultureInfo.InvariantCulture)).ToArray() ?? [];
        return elements.Length == 0 ? $"{type} {Shape}" : $"{string.Join(' ', elements.Take(Shown))}{(elements.Length > Shown ? $" … ({Shape})" : "")}";
    }

    private long[] Integers<T>()
        where T : unmanaged, IBinaryInteger<T> => Array.ConvertAll(value.GetTensorDataAsSpan<T>().ToArray(), long.CreateSaturating);
}
