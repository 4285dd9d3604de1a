using System.Buffers.Binary;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats;

/// <summary>A tensor as it lies in a file: contiguous, row-major, little-endian.</summary>
internal sealed class RawTensor
{
    /// <summary>Checks that the bytes are exactly the tensor's before anything of its size is allocated.</summary>
    /// <exception cref="InvalidModelException">They are not.</exception>
    public RawTensor(TensorElementType type, TensorShape shape, ReadOnlyMemory<byte> data)
    {
        if (ByteCount(type, shape) is not { } bytes || bytes != data.Length)
            throw new InvalidModelException($"a {type} tensor of shape {shape} needs {ByteCount(type, shape)?.ToString() ?? "too many"} bytes, but {data.Length} are present");
        (Type, Shape, Data) = (type, shape, data);
    }

    public TensorElementType Type { get; }

    public TensorShape Shape { get; }

    public ReadOnlyMemory<byte> Data { get; }

    public int Count => Data.Length / Type.Size();

    /// <summary>The bytes a tensor takes, or null where that does not fit an int.</summary>
    public static int? ByteCount(TensorElementType type, TensorShape shape)
    {
        long bytes = type.Size();
        foreach (int d in shape.Dimensions)
        {
            bytes *= d;
            if (bytes is < 0 or > int.MaxValue)
                return null;
        }
        return (int)bytes;
    }

    /// <summary>A shape from 64-bit sizes.</summary>
    /// <exception cref="InvalidModelException">A size is negative, there are more than 16 of them, or their product does not fit an array.</exception>
    public static TensorShape ShapeOf(ReadOnlySpan<long> sizes)
    {
        Span<int> dimensions = stackalloc int[16];
        bool valid = sizes.Length <= dimensions.Length && TensorSize.Fits(sizes);
        for (int i = 0; valid && i < sizes.Length; i++)
            dimensions[i] = (int)sizes[i];
        return valid
            ? new(dimensions[..sizes.Length])
            : throw new InvalidModelException($"the tensor shape [{string.Join(", ", sizes[..Math.Min(17, sizes.Length)].ToArray())}] is out of range");
    }

    /// <summary>The values of a real tensor as float32.</summary>
    public float[] ToFloats()
    {
        var values = new float[Count];
        ReadOnlySpan<byte> data = Data.Span;
        switch (Type)
        {
            case TensorElementType.Float32:
                CopyBytes(data, values);
                break;
            case TensorElementType.Float16:
                for (int i = 0; i < values.Length; i++)
                    values[i] = HalfToSingle(BinaryPrimitives.ReadUInt16LittleEndian(data[(2 * i)..]));
                break;
            case TensorElementType.BFloat16:
                for (int i = 0; i < values.Length; i++)
                    values[i] = BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(data[(2 * i)..]) << 16);
                break;
            case TensorElementType.Float64:
                for (int i = 0; i < values.Length; i++)
                    values[i] = (float)BinaryPrimitives.ReadDoubleLittleEndian(data[(8 * i)..]);
                break;
            default:
                throw new InvalidModelException($"a tensor of real numbers is needed, not one of {Type}");
        }
        return values;
    }

    /// <summary>The values of an integer or Boolean tensor.</summary>
    public long[] ToIntegers()
    {
        ReadOnlySpan<byte> data = Data.Span;
        var values = new long[Count];
        switch (Type)
        {
            case TensorElementType.Bool or TensorElementType.UInt8:
                for (int i = 0; i < values.Length; i++)
                    values[i] = data[i];
                break;
            case TensorElementType.Int8:
                for (int i = 0; i < values.Length; i++)
                    values[i] = (sbyte)data[i];
                break;
            case TensorElementType.Int16:
                for (int i = 0; i < values.Length; i++)
                    values[i] = BinaryPrimitives.ReadInt16LittleEndian(data[(2 * i)..]);
                break;
            case TensorElementType.UInt16:
                for (int i = 0; i < values.Length; i++)
                    values[i] = BinaryPrimitives.ReadUInt16LittleEndian(data[(2 * i)..]);
                break;
            case TensorElementType.Int32:
                for (int i = 0; i < values.Length; i++)
                    values[i] = BinaryPrimitives.ReadInt32LittleEndian(data[(4 * i)..]);
                break;
            case TensorElementType.UInt32:
                for (int i = 0; i < values.Length; i++)
                    values[i] = BinaryPrimitives.ReadUInt32LittleEndian(data[(4 * i)..]);
                break;
            case TensorElementType.Int64 or TensorElementType.UInt64:
                for (int i = 0; i < values.Length; i++)
                    values[i] = BinaryPrimitives.ReadInt64LittleEndian(data[(8 * i)..]);
                if (Type == TensorElementType.UInt64 && values.AsSpan().ContainsAnyInRange(long.MinValue, -1))
                    throw new InvalidModelException("an unsigned value above 2⁶³ − 1 is out of range");
                break;
            default:
                throw new InvalidModelException($"a tensor of integers is needed, not one of {Type}");
        }
        return values;
    }

    /// <summary>A real tensor as an initializer that remembers its element type.</summary>
    public DenseTensor ToDense() => new(Shape, ToFloats(), (StorageType)Type);

    /// <summary>The tensor as an entry of a state dict.</summary>
    public StateTensor ToState() => Type.IsReal() ? new WeightTensor(ToDense()) : new IntegerTensor(Shape, Type, ToIntegers());

    /// <summary>The bytes of float32 values in another real element type.</summary>
    public static byte[] Encode(ReadOnlySpan<float> values, StorageType storage)
    {
        int size = ((TensorElementType)storage).Size();
        var bytes = new byte[checked(values.Length * size)];
        for (int i = 0; i < values.Length; i++)
        {
            Span<byte> at = bytes.AsSpan(i * size);
            switch (storage)
            {
                case StorageType.Float16:
                    BinaryPrimitives.WriteHalfLittleEndian(at, (Half)values[i]);
                    break;
                case StorageType.BFloat16:
                    BinaryPrimitives.WriteUInt16LittleEndian(at, RoundToBFloat16(values[i]));
                    break;
                case StorageType.Float64:
                    BinaryPrimitives.WriteDoubleLittleEndian(at, values[i]);
                    break;
                default:
                    BinaryPrimitives.WriteSingleLittleEndian(at, values[i]);
                    break;
            }
        }
        return bytes;
    }

    /// <summary>The low bytes of integers.</summary>
    public static byte[] Encode(ReadOnlySpan<long> values, TensorElementType type)
    {
        int size = type.Size();
        var bytes = new byte[checked(values.Length * size)];
        Span<byte> whole = stackalloc byte[8];
        for (int i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(whole, values[i]);
            whole[..size].CopyTo(bytes.AsSpan(i * size));
        }
        return bytes;
    }

    // MemoryMarshal.Cast would be compiled for these types when a process loads its first model.
    private static unsafe void CopyBytes(ReadOnlySpan<byte> data, float[] values)
    {
        fixed (float* target = values)
            data.CopyTo(new Span<byte>(target, values.Length * sizeof(float)));
    }

    /// <summary>The exponent is moved from bias 15 to bias 127 by a multiplication with 2¹¹², which is exact for subnormal numbers too.</summary>
    private static float HalfToSingle(ushort bits)
    {
        uint magnitude = (uint)(bits & 0x7FFF) << 13;
        if (magnitude >= 0x7C00u << 13)
            return (float)BitConverter.UInt16BitsToHalf(bits);
        float value = BitConverter.UInt32BitsToSingle(magnitude) * BitConverter.UInt32BitsToSingle(0x77800000);
        return (bits & 0x8000) == 0 ? value : -value;
    }

    private static ushort RoundToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value)
            ? (ushort)((bits >> 16) | 0x40)
            : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
