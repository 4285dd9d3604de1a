using System.Runtime.InteropServices;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>
/// Writes a product-quantized weight and the nodes that rebuild it.
/// </summary>
/// <remarks>
/// Codes take the bits they need: for k ≤ 256 a byte; above, <c>X.codes</c> holds the low bytes and <c>X.codes.high</c> the other bits, a bit plane for
/// each, eight codes to a byte, lowest code first (uint8 [N/8, 1, planes] for N codes). Codes whose number is no multiple of eight are stored as uint16. Before operator set 10
/// there is no Mod, and before 9 no MatMul of integers: there a bit is what twice its number's half leaves, and sums are made by ReduceSum.
/// </remarks>
internal static class QuantizedWeights
{
    private const int CastToInt32 = 6, FirstOpsetOfMod = 10;

    /// <summary>Adds what rebuilds a weight and returns the name of the rebuilt value.</summary>
    /// <param name="emitter">Where it goes.</param>
    /// <param name="name">The weight's name.</param>
    /// <param name="weight">The weight.</param>
    /// <param name="type">The element type in which nodes read it.</param>
    public static string Write(OnnxEmitter emitter, string name, QuantizedTensor weight, StorageType type = StorageType.Float32)
    {
        bool named = name.EndsWith(OnnxNames.Weight, StringComparison.Ordinal);
        string stem = named ? name[..^OnnxNames.Weight.Length] : name;
        string rows = emitter.Add("Gather", [Codebook(emitter, stem, weight), Codes(emitter, stem, weight)]);
        if (type != (IsHalf(weight.Codebook) ? StorageType.Float16 : StorageType.Float32))
            rows = emitter.Add("Cast", [rows], [OnnxEmitter.Attribute("to", OnnxTensors.Number((TensorElementType)type))]);
        // Dimension 0 is copied and dimension 1 worked out, so that all weights of one kernel size share their target shape.
        long[] shape = [0, -1, .. weight.Shape.Dimensions.Skip(2).Select(d => (long)d)];
        string? output = named ? null : name;
        if (!weight.IsTransposed)
            return emitter.Add("Reshape", [rows, emitter.Shared(shape)], output: output);
        int[] exchanged = [1, 0, .. Enumerable.Range(2, weight.Shape.Rank - 2)];
        return emitter.Add("Transpose", [emitter.Add("Reshape", [rows, emitter.Shared(shape)])], [OnnxEmitter.ListAttribute("perm", exchanged)], output);
    }

    private static string Codebook(OnnxEmitter emitter, string stem, QuantizedTensor weight)
    {
        StorageType type = IsHalf(weight.Codebook) ? StorageType.Float16 : StorageType.Float32;
        return emitter.Initializer(
            stem + OnnxNames.Codebook, (TensorElementType)type, new(weight.Codewords, weight.BlockSize), RawTensor.Encode(weight.Codebook, type));
    }

    private static bool IsHalf(ReadOnlySpan<float> values)
    {
        foreach (float value in values)
            if ((float)(Half)value != value)
                return false;
        return true;
    }

    private static string Codes(OnnxEmitter emitter, string stem, QuantizedTensor weight)
    {
        string name = stem + OnnxNames.Codes;
        ReadOnlySpan<ushort> codes = weight.Codes;
        TensorShape shape = new(weight.Rows, weight.BlocksPerRow);
        if (weight.Codewords > 256 && codes.Length % 8 != 0)
            return ToInt32(emitter, emitter.Initializer(name, TensorElementType.UInt16, shape, MemoryMarshal.AsBytes(codes).ToArray()));
        var low = new byte[codes.Length];
        for (int i = 0; i < low.Length; i++)
            low[i] = (byte)codes[i];
        string result = ToInt32(emitter, emitter.Initializer(name, TensorElementType.UInt8, shape, low));
        return weight.Codewords <= 256 ? result : emitter.Add("Add", [result, High(emitter, name, weight, shape)]);
    }

    private static string High(OnnxEmitter emitter, string name, QuantizedTensor weight, TensorShape shape)
    {
        ReadOnlySpan<ushort> codes = weight.Codes;
        int planes = int.Log2(weight.Codewords - 1) + 1 - 8;
        var bits = new byte[codes.Length / 8 * planes];
        for (int i = 0; i < codes.Length; i++)
            for (int p = 0; p < planes; p++)
                bits[i / 8 * planes + p] |= (byte)(((codes[i] >> (8 + p)) & 1) << (i % 8));
        string value = ToInt32(emitter, emitter.Initializer(name + ".high", TensorElementType.UInt8, new(codes.Length / 8, 1, planes), bits));
        string quotients = emitter.Add("Div", [value, emitter.Shared(TensorElementType.Int32, new(8, 1), 1, 2, 4, 8, 16, 32, 64, 128)]), two = emitter.Shared(TensorElementType.Int32, new(), 2);
        long[] weights = [.. Enumerable.Range(8, planes).Select(p => 1L << p)];
        string sums;
        if (emitter.Opset >= FirstOpsetOfMod)
            sums = emitter.Add("MatMul", [emitter.Add("Mod", [quotients, two]), emitter.Shared(TensorElementType.Int32, new(planes, 1), weights)]);
        else
        {
            string halves = emitter.Add("Div", [value, emitter.Shared(TensorElementType.Int32, new(8, 1), 2, 4, 8, 16, 32, 64, 128, 256)]);
            string ones = emitter.Add("Sub", [quotients, emitter.Add("Mul", [halves, two])]);
            sums = emitter.Add("ReduceSum", [emitter.Add("Mul", [ones, emitter.Shared(TensorElementType.Int32, new(planes), weights)])], [OnnxEmitter.ListAttribute("axes", 2)]);
        }
        return emitter.Add("Reshape", [sums, emitter.Shared(shape[0], shape[1])]);
    }

    private static string ToInt32(OnnxEmitter emitter, string value) => emitter.Add("Cast", [value], [OnnxEmitter.Attribute("to", CastToInt32)]);
}
