using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Tests.Reporting;

public sealed class TextTableTests
{
    [Fact]
    public void Columns_are_as_wide_as_their_widest_cell_and_numbers_stand_right()
    {
        var table = new TextTable("layer", ">bytes").Add("conv1", "12").Add("layer1.0", "123456");
        Assert.Equal("layer      bytes\n--------  ------\nconv1         12\nlayer1.0  123456\n", table.ToString());
        Assert.Throws<ArgumentException>(() => table.Add("one"));
    }
}
