using System.Buffers.Binary;
using System.Text;

namespace MLNet.PQCompression.Fuzz.Mutation;

/// <summary>Damages an ONNX file by its structure: sizes and attributes at which arithmetic goes wrong, other operators and names, fields that are missing, doubled or elsewhere.</summary>
internal static class ProtoMutator
{
    private static readonly byte[][] Operators = [.. new[]
    {
        "Conv", "BatchNormalization", "Gemm", "MatMul", "Relu", "Sigmoid", "HardSwish", "Clip", "HardSigmoid", "LeakyRelu", "Add", "Sub", "Mul", "Div", "Concat", "Pad",
        "Slice", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Softmax", "LRN",
        "Shape", "Gather", "Cast", "Constant", "ConstantOfShape", "Sum", "Split", "Identity", "Dropout", "Mod", "Resize", "ConvTranspose", "PRelu", "Upsample",
        "InstanceNormalization", "LayerNormalization", "Expand", "Tile", "DepthToSpace", "SpaceToDepth", "LogSoftmax", "Elu", "Selu", "Gelu", "Max", "Min", "Pow", "Exp", "Sqrt",
        "ReduceSum", "ReduceMax", "ReduceL2", "ArgMax", "NonMaxSuppression", "TopK", "Where", "Range", "Loop", "If", "Einsum",
    }.Select(Encoding.UTF8.GetBytes)];

    private static readonly byte[][] Attributes = [.. new[]
    {
        "kernel_shape", "strides", "pads", "dilations", "auto_pad", "group", "axis", "axes", "perm", "to", "ceil_mode", "count_include_pad", "alpha", "beta", "epsilon",
        "transA", "transB", "keepdims", "starts", "ends", "shape", "size", "value", "min", "max", "split", "mode", "SAME_UPPER", "SAME_LOWER", "VALID", "constant",
        "output_padding", "output_shape", "blocksize", "reflect", "edge", "linear", "cubic", "nearest", "coordinate_transformation_mode", "align_corners", "nearest_mode",
    }.Select(Encoding.UTF8.GetBytes)];

    /// <summary>Damages a tree in a few places.</summary>
    public static void Mutate(ProtoField root, Random random)
    {
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            var places = new List<(List<ProtoField> Siblings, int Index)>();
            Collect(root.Fields!, places);
            if (places.Count == 0)
                return;
            (List<ProtoField> siblings, int index) = places[random.Next(places.Count)];
            Mutate(siblings, index, places, random);
        }
    }

    private static void Collect(List<ProtoField> fields, List<(List<ProtoField>, int)> places)
    {
        for (int i = 0; i < fields.Count; i++)
        {
            places.Add((fields, i));
            if (fields[i].Fields is { } inner)
                Collect(inner, places);
        }
    }

    private static void Mutate(List<ProtoField> siblings, int index, List<(List<ProtoField> Siblings, int Index)> places, Random random)
    {
        ProtoField field = siblings[index];
        (List<ProtoField> others, int other) = places[random.Next(places.Count)];
        switch (random.Next(16))
        {
            case 0:
                siblings.RemoveAt(index);
                break;
            case 1:
                siblings.Insert(index, field.Clone());
                break;
            case 2:
                siblings.Insert(index, others[other].Clone()); // From another place, of whatever kind.
                break;
            case 3 when field.Fields is not null:
                (siblings[index], siblings[random.Next(siblings.Count)]) = (siblings[random.Next(siblings.Count)].Clone(), field);
                break;
            case 4:
                field.Number = random.Next(1, 16);
                break;
            default:
                ChangeValue(field, others[other], random);
                break;
        }
    }

    private static void ChangeValue(ProtoField field, ProtoField other, Random random)
    {
        if (field.Wire == 0)
            field.Value = (ulong)Numbers.Any(random, (long)field.Value);
        else if (field.Fields is null && field.Wire == 2)
            field.Bytes = OtherBytes(field.Bytes, other, random);
        else if (field.Fields is null)
            field.Bytes = random.Next(2) == 0 ? new byte[field.Bytes.Length] : [.. Enumerable.Repeat((byte)0xff, field.Bytes.Length)];
    }

    /// <summary>Bytes in place of a string, of packed numbers or of a tensor's data.</summary>
    private static byte[] OtherBytes(byte[] bytes, ProtoField other, Random random)
    {
        switch (random.Next(8))
        {
            case 0:
                return Operators[random.Next(Operators.Length)];
            case 1:
                return Attributes[random.Next(Attributes.Length)];
            case 2 or 3 when other.Fields is null && other.Wire == 2:
                return other.Bytes; // A name of another value, most often.
            case 4 when bytes.Length % 8 == 0 && bytes.Length > 0: // int64 data: shapes, axes, pads.
                byte[] numbers = [.. bytes];
                int at = random.Next(bytes.Length / 8) * 8;
                BinaryPrimitives.WriteInt64LittleEndian(numbers.AsSpan(at), Numbers.Any(random, BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at))));
                return numbers;
            case 5:
                return PackedNumbers(bytes, random);
            default:
                return ByteMutator.Mutate(bytes, random);
        }
    }

    /// <summary>Packed varints, as attributes and dimensions are written by most, with one of them changed.</summary>
    private static byte[] PackedNumbers(byte[] bytes, Random random)
    {
        int count = random.Next(1, 9), changed = random.Next(count);
        var stream = new MemoryStream();
        for (int i = 0; i < count; i++)
        {
            long number = i == changed ? Numbers.Any(random) : i < bytes.Length ? bytes[i] & 0x7F : 1;
            for (ulong rest = (ulong)number; ; rest >>= 7)
            {
                stream.WriteByte((byte)(rest < 0x80 ? rest : rest | 0x80));
                if (rest < 0x80)
                    break;
            }
        }
        return stream.ToArray();
    }
}
