using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>
/// Codes above 8 bits on their way through the nodes that <see cref="QuantizedWeights"/> writes: kept as bytes until they are looked up, where folding each
/// node would make tensors of 64-bit integers many times as large as the file.
/// </summary>
/// <param name="Name">The value's name.</param>
/// <param name="Shape">The value's shape: [R, 8, P] of bits, [R, 8, 1] of their sums, or a shape of as many elements.</param>
/// <param name="Planes">uint8 [R, 1, P], a byte for eight codes of each of P bit planes.</param>
/// <param name="Stage">How far the nodes have come.</param>
/// <param name="Weights">What each plane's bit counts for, once it counts for something.</param>
/// <param name="Low">uint8, the codes' low bytes, where they have been added.</param>
internal sealed record PackedCodes(string Name, TensorShape Shape, RawTensor Planes, PackedStage Stage, long[]? Weights = null, RawTensor? Low = null) : OnnxValue(Name)
{
    /// <summary>What a node makes if it is the next of the pattern, or null. Every element of it is below 65536.</summary>
    public static PackedCodes? Match(OnnxNode node)
    {
        if (node.Type == "ReduceSum")
            return node.InputCount == 1 && node.Input(0) is PackedCodes { Stage: PackedStage.Weighted } weighted && node.Ints("axes") is [2] && node.Int("keepdims", 1) == 1
                ? weighted with { Name = node.Outputs[0], Shape = weighted.Shape.With(2, 1), Stage = PackedStage.Sums } : null;
        if (node.Type is not ("Div" or "Mod" or "Mul" or "Sub" or "MatMul" or "Add") || node.InputCount != 2)
            return null;
        (OnnxValue a, OnnxValue b, string name) = (node.Input(0), node.Input(1), node.Outputs[0]);
        return (node.Type, a, b) switch
        {
            ("Div", Constant { Tensor: { Type: TensorElementType.UInt8, Shape: { Rank: 3 } shape } bytes }, _)
                when shape[1] == 1 && ConstantFolding.AsIntegers(b) is { Shape: { Rank: 2 } powers, Elements: var divisors } && powers[0] == 8 && StageOf(divisors) is { } stage =>
                new(name, shape.With(1, 8), bytes, stage),
            ("Mod", PackedCodes { Stage: PackedStage.Quotients } quotients, _) when IsTwo(b) => quotients with { Name = name, Stage = PackedStage.Bits },
            ("Mul", PackedCodes { Stage: PackedStage.Halves } halves, _) when IsTwo(b) => halves with { Name = name, Stage = PackedStage.DoubledHalves },
            ("Sub", PackedCodes { Stage: PackedStage.Quotients } quotients, PackedCodes { Stage: PackedStage.DoubledHalves } halves) when quotients.Planes.Data.Equals(halves.Planes.Data) =>
                quotients with { Name = name, Stage = PackedStage.Bits },
            ("Mul", PackedCodes { Stage: PackedStage.Bits } bits, _) when ConstantFolding.AsIntegers(b) is { Shape: { Rank: 1 } row, Elements: var weights } && row[0] == bits.Shape[2] && AreSmall(weights) =>
                bits with { Name = name, Stage = PackedStage.Weighted, Weights = weights },
            ("MatMul", PackedCodes { Stage: PackedStage.Bits } bits, _)
                when ConstantFolding.AsIntegers(b) is { Shape: { Rank: 2 } column, Elements: var weights } && column[1] == 1 && column[0] == bits.Shape[2] && AreSmall(weights) =>
                bits with { Name = name, Shape = bits.Shape.With(2, 1), Stage = PackedStage.Sums, Weights = weights },
            ("Add", Constant { Tensor: { Type: TensorElementType.UInt8 } low }, PackedCodes { Stage: PackedStage.Sums, Low: null } high) when low.Shape == high.Shape =>
                high with { Name = name, Low = low },
            _ => null,
        };
    }

    /// <summary>Codes as <see cref="QuantizedWeights"/> writes them, of a byte or packed; null where they are written in another way.</summary>
    public static BlockCodes? CodesOf(OnnxValue value) => value switch
    {
        PackedCodes { Stage: PackedStage.Sums, Weights.Length: <= BitPlanes.MaxPlanes, Low: { } low } packed => new(new BitPlanes(low.Data, packed.Planes.Data, packed.Weights)),
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
                    int shifted = bytes[row + plane] >> bit;
                    int value = Stage switch
                    {
                        PackedStage.Quotients => shifted,
                        PackedStage.Halves => shifted >> 1,
                        PackedStage.DoubledHalves => shifted & ~1,
                        PackedStage.Bits => shifted & 1,
                        _ => (shifted & 1) * (int)Weights![plane],
                    };
                    if (Stage == PackedStage.Sums)
                        sum += value;
                    else
                        elements[at++] = (ushort)value;
                }
                if (Stage == PackedStage.Sums)
                    elements[at++] = (ushort)sum;
            }
        return elements;
    }

    /// <summary>The elements as any folded integers.</summary>
    public Integers ToIntegers() => new(Name, Shape, Array.ConvertAll(ToArray(), element => (long)element));

    private static PackedStage? StageOf(long[] divisors) => divisors switch
    {
        [1, 2, 4, 8, 16, 32, 64, 128] => PackedStage.Quotients,
        [2, 4, 8, 16, 32, 64, 128, 256] => PackedStage.Halves,
        _ => null,
    };

    private static bool IsTwo(OnnxValue value) => ConstantFolding.AsIntegers(value) is { Shape.Rank: <= 3, Elements: [2] };

    private static bool AreSmall(long[] weights)
    {
        long sum = byte.MaxValue;
        foreach (long weight in weights)
            if (weight is < 0 or > ushort.MaxValue || (sum += weight) > ushort.MaxValue)
                return false;
        return true;
    }
}

/// <summary>What <see cref="PackedCodes"/> are at a point of the pattern: bit i of a plane's byte b belongs to code i.</summary>
internal enum PackedStage
{
    /// <summary>b / 2ⁱ, rounded down.</summary>
    Quotients,

    /// <summary>b / 2ⁱ⁺¹, rounded down.</summary>
    Halves,

    /// <summary>Twice that.</summary>
    DoubledHalves,

    /// <summary>The bit.</summary>
    Bits,

    /// <summary>The bit times what it counts for.</summary>
    Weighted,

    /// <summary>The sum over the planes.</summary>
    Sums,
}
