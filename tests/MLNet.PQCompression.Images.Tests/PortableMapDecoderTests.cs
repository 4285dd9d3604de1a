using System.Text;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests.Images;

public class PortableMapDecoderTests
{
    [Theory]
    [InlineData("P2\n# a comment\n2 1\n15\n0 15", new byte[] { 0, 0, 0, 255, 255, 255 })]
    [InlineData("P3 1 2 255 1 2 3\n4\n5 6\n", new byte[] { 1, 2, 3, 4, 5, 6 })]
    [InlineData("P5 2 1 255 AB", new byte[] { 65, 65, 65, 66, 66, 66 })]
    [InlineData("P6 1 1 255\nABC", new byte[] { 65, 66, 67 })]
    [InlineData("P5 1 1 65535\n\u0080\u0000", new byte[] { 128, 128, 128 })]
    public void Text_and_binary_maps_are_decoded(string text, byte[] pixels) =>
        Assert.Equal(pixels, ImageDecoder.Decode(Encoding.Latin1.GetBytes(text)).Pixels);

    [Theory]
    [InlineData("P4 8 1 A", ImageFault.Unsupported)]
    [InlineData("P6 1 1 255 AB", ImageFault.Truncated)]
    [InlineData("P3 1 1 255 1 2", ImageFault.Truncated)]
    [InlineData("P6 1", ImageFault.Truncated)]
    [InlineData("P6 x 1 255 ABC", ImageFault.Malformed)]
    [InlineData("P2 1 1 100 101", ImageFault.Malformed)]
    [InlineData("P5 1 1 0 A", ImageFault.Malformed)]
    [InlineData("P5 0 1 255 A", ImageFault.Malformed)]
    [InlineData("P5 99999999999 1 255 A", ImageFault.Malformed)]
    [InlineData("P5 99999999 9999999 255 A", ImageFault.TooLarge)]
    [InlineData("P5 5000 5000 255 A", ImageFault.Truncated)]
    public void Broken_maps_are_refused(string text, ImageFault fault) =>
        Assert.Equal(fault, Assert.Throws<InvalidImageException>(() => ImageDecoder.Decode(Encoding.Latin1.GetBytes(text))).Fault);
}
