using System.Runtime.InteropServices;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Formats;

public class RawTensorTests
{
    [Fact]
    public void Every_float16_is_the_float32_of_the_runtime()
    {
        Half[] halves = [.. Enumerable.Range(0, 65536).Select(bits => BitConverter.UInt16BitsToHalf((ushort)bits))];
        float[] values = new RawTensor(TensorElementType.Float16, new(halves.Length), MemoryMarshal.AsBytes<Half>(halves).ToArray()).ToFloats();
        Assert.Equal(halves.Select(half => BitConverter.SingleToUInt32Bits((float)half)), values.Select(BitConverter.SingleToUInt32Bits));
    }
}
