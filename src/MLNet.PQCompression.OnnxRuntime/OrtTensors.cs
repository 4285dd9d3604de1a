using Microsoft.ML.OnnxRuntime;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.OnnxRuntime;

/// <summary>Values of a graph as ONNX Runtime's, and back.</summary>
internal static class OrtTensors
{
    /// <summary>A value in the element type that a model declares.</summary>
    public static OrtValue ToOrt(Activation value, TensorElementType type) =>
        value is OrtForeignValue foreign ? foreign.Share() : FromFloats(value.Memory, [.. value.Shape.Dimensions.Select(d => (long)d)], type);

    /// <summary>Float32 numbers in another element type; whole numbers are rounded and held to their range.</summary>
    public static OrtValue FromFloats(Memory<float> values, long[] shape, TensorElementType type) => type switch
    {
        TensorElementType.Float => OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, values, shape),
        TensorElementType.Float16 => Converted(values, shape, v => (Float16)v),
        TensorElementType.BFloat16 => Converted(values, shape, v => (BFloat16)v),
        TensorElementType.Double => Converted(values, shape, v => (double)v),
        TensorElementType.UInt8 => Converted(values, shape, v => (byte)Math.Clamp(MathF.Round(v), byte.MinValue, byte.MaxValue)),
        TensorElementType.Int8 => Converted(values, shape, v => (sbyte)Math.Clamp(MathF.Round(v), sbyte.MinValue, sbyte.MaxValue)),
        TensorElementType.UInt16 => Converted(values, shape, v => (ushort)Math.Clamp(MathF.Round(v), ushort.MinValue, ushort.MaxValue)),
        TensorElementType.Int32 => Converted(values, shape, v => (int)MathF.Round(v)),
        TensorElementType.Int64 => Converted(values, shape, v => (long)MathF.Round(v)),
        _ => throw new InvalidModelException($"An input of the element type {type} cannot be made of images."),
    };

    /// <summary>A value of a graph; real numbers are copied, all else is kept.</summary>
    public static Activation FromOrt(OrtValue value)
    {
        if (!value.IsTensor)
            return new OrtForeignValue(value);
        OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
        TensorShape shape = ShapeOf(info);
        float[]? values = info.ElementDataType switch
        {
            TensorElementType.Float => value.GetTensorDataAsSpan<float>().ToArray(),
            TensorElementType.Float16 => Array.ConvertAll(value.GetTensorDataAsSpan<Float16>().ToArray(), v => (float)v),
            TensorElementType.BFloat16 => Array.ConvertAll(value.GetTensorDataAsSpan<BFloat16>().ToArray(), v => (float)v),
            TensorElementType.Double => Array.ConvertAll(value.GetTensorDataAsSpan<double>().ToArray(), v => (float)v),
            _ => null,
        };
        if (values is null)
            return new OrtForeignValue(value);
        value.Dispose();
        return new Activation(shape, values);
    }

    /// <summary>Whether an element type is of real numbers.</summary>
    public static bool IsReal(TensorElementType type) => type is TensorElementType.Float or TensorElementType.Float16 or TensorElementType.BFloat16 or TensorElementType.Double;

    /// <summary>A tensor's shape.</summary>
    public static TensorShape ShapeOf(OrtTensorTypeAndShapeInfo info) => new([.. info.Shape.Select(d => checked((int)d))]);

    private static OrtValue Converted<T>(Memory<float> values, long[] shape, Func<float, T> convert)
        where T : unmanaged
    {
        var converted = new T[values.Length];
        for (int i = 0; i < converted.Length; i++)
            converted[i] = convert(values.Span[i]);
        return OrtValue.CreateTensorValueFromMemory(converted, shape);
    }
}
