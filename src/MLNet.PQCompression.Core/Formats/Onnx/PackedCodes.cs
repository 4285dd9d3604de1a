using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>
/// Codes above 8 bits on their way through the nodes that <see cref="QuantizedWeights"/> writes: kept as bytes until they are looked up, where folding each
/// node would make tensors of 64-bit integers many times as large as the file.
/// </summary>
/// <param name="Name">The value's name.</param>
/// <param name="Shape">The value's shape: [R, 8, P] of bits, [R, 8, 1] of their sums, or a shape of as many elements.</param>
/// <param name="Planes">uint8 [R, 1, P], a byte for eight codes of each of P bit planes.</param>
/// <param name="Mask">What is kept of a byte after the shift: 255 behind the division by 1, 2 … 128, 1 behind the remainder by 2.</param>
/// <param name="Weights">What each plane's bit counts for, where the planes have been summed.</param>
/// <param name="Low">uint8, the codes' low bytes, where they have been added.</param>
internal sealed record PackedCodes(string Name, TensorShape Shape, RawTensor Planes, int Mask, long[]? Weights = null, RawTensor? Low = null) : OnnxValue(Name)
{
    /// <summary>What a node makes if it is the next of the pattern, or null. Every element of it is below 65536.</summary>
    public static PackedCodes? Match(OnnxNode node)
    {
        if (node.Type is not ("Div" or "Mod" or "MatMul" or "Add") || node.InputCount != 2)
            return null;
        (OnnxValue a, OnnxValue b, string name) = (node.Input(0), node.Input(1), node.Outputs[0]);
        return (node.Type, a, b) switch
        {
            ("Div", Constant { Tensor: { Type: TensorElementType.UInt8, Shape: { Rank: 3 } shape } bytes }, _)
                when shape[1] == 1 && ConstantFolding.AsIntegers(b) is { Shape: { Rank: 2 } powers, Elements: [1, 2, 4, 8, 16, 32, 64, 128] } && powers[0] == 8 =>
                new(name, shape.With(1, 8), bytes, 255),
            ("Mod", PackedCodes { Weights: null } quotients, _) when ConstantFolding.AsIntegers(b) is { Shape.Rank: <= 3, Elements: [2] } =>
                quotients with { Name = name, Mask = 1 },
            ("MatMul", PackedCodes { Weights: null, Mask: 1 } bits, _)
                when ConstantFolding.AsIntegers(b) is { Shape: { Rank: 2 } column, Elements: var weights } && column[1] == 1 && column[0] == bits.Shape[2] && AreSmall(weights) =>
                bits with { Name = name, Shape = bits.Shape.With(2, 1), Weights = weights },
            ("Add", Constant { Tensor: { Type: TensorElementType.UInt8 } low }, PackedCodes { Weights: not null, Low: null } high) when low.Shape == high.Shape =>
                high with { Name = name, Low = low },
            _ => null,
        };
    }

    /// <summary>Codes as <see cref="QuantizedWeights"/> writes them, of a byte or packed; null where they are written in another way.</summary>
    public static BlockCodes? CodesOf(OnnxValue value) => value switch
    {
        PackedCodes { Weights.Length: <= BitPlanes.MaxPlanes, Low: { } low } packed => new(new BitPlanes(low.Data, packed.Planes.Data, packed.Weights)),
        PackedCodes packed => new(packed.ToArray()),
        Constant { Tensor: { Type: TensorElementType.UInt8 } tensor } => new(tensor.Data),
        _ => null,
    };

    /// <summary>All elements, row-major.</summary>
    public ushort[] ToArray()
    {
        var elements = new ushort[Shape.Count];
        ReadOnlySpan<byte> bytes = Planes.Data.Span, low = Low is null ? default : Low.Data.Span;
        int planes = Planes.Shape[2], at = 0;
        for (int row = 0; row < bytes.Length; row += planes)
            for (int bit = 0; bit < 8; bit++)
            {
                int sum = low.IsEmpty ? 0 : low[at];
                for (int plane = 0; plane < planes; plane++)
                {
                    int value = (bytes[row + plane] >> bit) & Mask;
                    if (Weights is null)
                        elements[at++] = (ushort)value;
                    else
                        sum += value * (int)Weights[plane];
                }
                if (Weights is not null)
                    elements[at++] = (ushort)sum;
            }
        return elements;
    }

    /// <summary>The elements as any folded integers.</summary>
    public Integers ToIntegers() => new(Name, Shape, Array.ConvertAll(ToArray(), element => (long)element));

    private static bool AreSmall(long[] weights)
    {
        long sum = byte.MaxValue;
        foreach (long weight in weights)
            if (weight is < 0 or > ushort.MaxValue || (sum += weight) > ushort.MaxValue)
                return false;
        return true;
    }
}
