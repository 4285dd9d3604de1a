using MLNet.PQCompression.Formats.Onnx;

namespace MLNet.PQCompression.Tests.Formats.Onnx;

public class ProtoReaderTests
{
    [Fact]
    public void Fields_of_the_wrong_kind_and_unknown_fields_are_passed_over()
    {
        // Field 3 as bytes, a fixed64 and a fixed32 that no schema has, then field 3 as the varint it should be.
        byte[] message = [0x1A, 1, 7, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7D, 1, 2, 3, 4, 0x18, 0x96, 0x01];
        Assert.Equal(150, new AttributeMessage(message).Integer);
    }

    [Fact]
    public void Repeated_numbers_may_be_packed_or_not()
    {
        byte[] message = [0x40, 1, 0x42, 3, 2, 0xAC, 0x02, 0x40, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x3D, 0, 0, 0x80, 0x3F, 0x3A, 4, 0, 0, 0, 0x40];
        var attribute = new AttributeMessage(message);
        Assert.Equal([1, 2, 300, -1], attribute.Integers.ToArray());
        Assert.Equal([0, 0, 0x80, 0x3F, 0, 0, 0, 0x40], attribute.Floats!.ToArray());
    }

    [Theory]
    [InlineData(new byte[] { 0x18 })] // A tag without a value.
    [InlineData(new byte[] { 0x18, 0x80 })] // A varint that does not end.
    [InlineData(new byte[] { 0x18, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01 })] // One of more than ten bytes.
    [InlineData(new byte[] { 0x22, 5, 1 })] // More bytes than there are.
    [InlineData(new byte[] { 0x22, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F })] // A length above 2³¹.
    [InlineData(new byte[] { 0x15, 0, 0 })] // Half a float.
    [InlineData(new byte[] { 0x3A, 3, 0, 0, 0 })] // Packed floats of three bytes.
    [InlineData(new byte[] { 0x42, 1, 0x80 })] // A packed varint that does not end.
    [InlineData(new byte[] { 0x0A, 1, 0xFF })] // A name that is not UTF-8.
    [InlineData(new byte[] { 0x00 })] // Field 0.
    [InlineData(new byte[] { 0x1B })] // A group.
    [InlineData(new byte[] { 0x7A, 0x80 })] // An unknown field whose length does not end.
    public void Malformed_messages_are_refused(byte[] message) => Assert.Throws<InvalidDataException>(() => new AttributeMessage(message));
}
