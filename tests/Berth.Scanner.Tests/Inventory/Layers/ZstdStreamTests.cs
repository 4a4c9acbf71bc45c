using System.Security.Cryptography;
using Berth.Scanner.Inventory.Layers.Zstd;

namespace Berth.Scanner.Tests.Inventory.Layers;

/// <summary>Frames were made by libzstd 1.5; lengths and digests are those of what went in.</summary>
public sealed class ZstdStreamTests
{
    internal static readonly (string Name, string Packed, int Length, string Sha256)[] Frames =
    [
        ("text at level 1",
            "KLUv/WD/IvU9AApj4AsVkJvaQMtmO2rsx6LI7u6dyB3Yjy8nvwC2ALMAQ9ckIwwNLhETUm+ihFObOQmlRR5hlEr4zpzQlTJhaFgJqZdQwqnjFJSGCUbvIgm+"
            + "/kXQDT5HMPRMLkGqXTmC07r9oJQqGB264Ct3uiF2ht7qpPp1TkPRKb3pjLrmfIM/p3smZ6iJnNSSM6dkCjOlI48yo3JG5htz070Z6jOpgWxOb7EptW9Gg4OP"
            + "79mMrgkVQ+uESCWK4XTmQqmQg9G4872Yrg0gMDQEELCAQYIHDg4QABAaBBBwAEEBBQYKDAgmteomgsOFhwpnwSqECxKOYP53dM1hx9Cy60glouN0ZI4Sl2M0"
            + "JI7v7UfTMTQMyZF6/4xT2ygNvjJGL4qMr9XMGN0iE2MolcNInTA3TsWM0jgKxuhjrvg6rOj/VQxFqm3FabCUFKV3E8Woibz41rnokkMxdEykSowRp1FE6YeI"
            + "UQvxDQ6ie5uZGGoTqcHhM3F64SoQpUY3jNbY8KUIqaE75qBhqEz4DKlxMpz+Yii1fRgN5eF7Cld0ZmjMmdzE+Ve+MF07j5FrShzEjIYYmW79FuYxp7av6qSs"
            + "TLfIDKUwqUN05lSoTGlImXGhzHeO7DcyR/im9MyM2pRNly5mhs6YVDlfmM3Uacw1vs+cHplSCzNaRxXKRkpsk2rEwoiY0odcOPM9OUx3NmW2onAzSsFnvnNB"
            + "pisRZmhE8M2cjikNt9kfixl6N6kW6qpMKUmJGZ2brwSd6Ubdw8Re4WVG7THfMHfTPTJDLdwCAO7ETqrudDR3Bomz3310RuVC7FTlIKtb7BJ253txumYV5Ihs"
            + "HErmjMZNhVTUX/fpjs7XpuToDCULndQZk9MpjTrdVIF84xE6yZ87oxZyvnW6NGfo3EmVKDnnTh7mcQ+575ffOb3LKbUrOV+KuxGZuQgm5/SnzBkNnp9O6vmM"
            + "Tmm9qM53XqfrDI04qbdzKrfPT3U+qVZxTitOKcnYGZ3L+QrNhOPo9rlP20xJOZxTit/d2LkCgs6ocoFRS8S23wGCCxSEAXHM4h4SQDAZhKDHI3F1EGDDJ6Qz"
            + "AJbA8GfEiEnF9SBWJMNkKCyffn9McrXXw78dkIi5wAavEH+gXcIvnQIwnjv8jQAlUENy2g9noWWJEZXH7eFnOajuY/fJJwrLvHqgkC24eYeYy5lcL3e5XSZd"
            + "hBPwUhxRU6EBkIQ9R/9o7wYGnxDvHXFfcKmQErE29mMK/yOmlndDoUAL65UeEN3SZSB4bpprrsGWEl1M+da53gwycXSGGF9Xee3COyIgaUSpPgEdFdLe5f4E"
            + "ASJmuY33ZjN5sa7YSCENiApfb92zcMGYvi1UZVVGZGghXK8shRaodAh2NJiDYLQDn4WxTa9QtLBVqDqxV3eE/9UU3nL6u4laaEwIEit0tC6t5gIn07YODttS"
            + "2wrLzgNroYq/tLeQpgCFCxeqrmtKWgkcVgyGPUIL6RaTAlRkoYuExMZlsMUWA+7IER3uQUgDyqIuVMr6xSXgXgS2C8fhAk9caOQ06EIjwVC6kFkxWBdYAWpS"
            + "jG11LgGOV6xI7R2oHcwHCEAWW1moHePaQvIdLlxi9Wuhjn000bssGVXpruljTO7aBHshBdvl4ue/sD1ql+azjAsNFuNpooVDj110+GIttJQJwMLE18V8bYck"
            + "rUuErFmS5oUqsE4Z8qkkBqrFYgPC1kESSe1YUAH1UZEK++FCLzvT2J/lWbBh+JpPVSxwXDyE60dRIRQO4ipI26ZqcVu4cXUsncoPoml8MBGFrFiQIo738uAs"
            + "ixWJjH2DWYX9EVVk0GYK0rn5ibnb41wwNEcBTH87bNO8O8SRggaz4ilIMD/BSU8rz4rjEeSQS6rLs76LkPjSEfvBc70FbvaVnZvAUn0diCCJA066kQ3YkLZs"
            + "59cxAkIMOi4K6EehnYDAFvaVmco68+gEmnr5paxykLDDsP5ncVds3+ff0XZpAI3pD7kuzgxh/P1LdrgfwMaX+6VV+wy4cWNmV8wTy71fE/s1Z31VoaMRNl5O"
            + "R8xHJd74ac50/D6mJ+GuCmifz1uv+BcEty2mcYFDQlx6Dt5ufVDa6mtyOJitdtoRQ9wOKPNxN9SUz7JnmXxe02L8QFn0orWFTyetlt7i9xJYCniv5UnHHnVw"
            + "1oEFgvcmotW7B6DPvYZBV+VsdkcB1ryrBAVkB/fGZL1nr+f3FlI9/YDpafRwCHjUbXrAwpLbk+8YBmsSbJZzC6xibxAcnl/NVW8YvrIUbA56dabXwJVDQxde"
            + "DQ3JMHfFtYK5JF39+JoLRhUTm+ljk68tMTGFEmfFDxOATCbCGSUoEUnNifE53ZKCgHjBL/6gF9lfN0DpCrlITQtj7DyxnUGlum2geTmTF0x0YP8X0m1EFYlb"
            + "THxSTKghEUzMb/DvmFC227DVrTHCqR5hzFy/GDe+6uX/hN5yFntEqZ017nooeKugTsjtlUSdCpo/giqwhHGFeSmkZgkinQRcGwdGoUpenJKTyYW3EsMbBzE/"
            + "M8vF8FfC2NVfOkS7WBB5AbMEtM39oQ4jypG7RtaJMgMTM5TC/Jte/FcYR2JMJqOazVxOD9nN/Kgq+CltKMvekCa31HZH8qJbffj5I9nAk9FpsATnC75Zy43I"
            + "/YNPkwVGcKHdUG0F",
            9215, "12cd8546ca03005ad3017b3505369ef31b439933052881534609815465f2b9e8"),
        ("text at level 19 with checksum",
            "KLUv/WQqL/U6AAq7VBUXkJvSAUDLZjtq7MdCckspU0ryWqhnFxBkAUYBRgE7CYNzcGIF18ANCo5BKwQXAQM1uAmiJjgJynJwD3gHZ/oRXN2qkQ61IENthlMT"
            + "97W7Nfuu1Q41hk8tZF6bh1aYSDCEXaIozGGasJKIhHGCHxbEOmxCwqTDsFdNmIOL1iIHGtsSLWiGNqwgNInTaWeJaf5fWqtKGkcYtBDOxhJmMqTZGWTm8M9K"
            + "9GcMgZ4Fp7MxizMpitlrpmQOEVntyxhIoGURXKKyCfySSUd2EZlDZKVPyDiX+oL+8E2I6RORzveOfCZ9DUTqY3AKX1CgbyI+ccf7L55pTl5bHo9FixfhvTdF"
            + "tCclvZPnQKa8Bq+OgR+6CBqom4ClToKg6R6U0zkgSdcgWOkYVHgXQfi7CeiccMz9NecK5TpSjlIuprgJoqacBP3JPWA5B8FgrUExhDEIH1oEVJ9NMGOZBCL9"
            + "HnzoOXB1DXqOAQlALIIIQIAFGEjgAQcOIACAaCAAAQ5AoAAFDChggJZeouv56BjE0YUQG93QidHJ74ju0ariXAnF9SUVxwma4sK0FDdVL06CLu5ui7OQxbV2"
            + "FMfQqsDFJQRuSqTAyYkmcGdcAufwA1ePA0dSG7hwCAzcRCUCJyUs4k5EgThHT8RVZohjhRHiItgnbmbKxElxStxPJXEOUUFcaaSGYxuGizCBhhtbZjiJqAz3"
            + "efhwJoqHaxQ7HPvA4aIoMdyEKuFkJAThXibh/I5wDSGIcCSSCxdhauEmuCqc2EPhHnYI56pzpaBwjsHTuRByzk0VyTkJIT/3Yn3OFdVzfYfnyDvORUyZmyAU"
            + "zAnDydwnOuYcLDFXz80xyDYXDtbcCAPNSUXC3KtVznUo1wpROVJ9ysVfKTdULycsudxPbzlXy3L1RDm2RS4cyM2cyAk55C5CQs6vnFylanIMQy6CEA3kJiAq"
            + "ISfBDDkYr4ZH3wwviBThzZBVnbweqvspUHUu6lRXz0h1LL26iLmrGwmtTmTK6l4yUZ0DVeg69BA6UqDQBcMTupEgCZ3cfOjei0PnSjV0pWCGjowQoYt4i7oJ"
            + "MoE6YZCouytDnekl1HXKp45vMHVBLXVTQaROZoK6N6amsydMVwdNR3nNdFFeppsg4dNJ1Z7uRJ3Ol3K6hqCYjhRY0oV8gnQTSpJOomSkO5FIZ18uXW9Lx5BK"
            + "F0NF6cb0kE7qVe8e8vDO4aJ3Fc87FkveRej/bobld1J9350tvnPw413vKncUeXAXIkXuJsLHnZC4uyl359/ueqk7Ft2FI9xNX+0kZkK7O0rtLKVp11KlHUPR"
            + "20XdbjdFoe3kPts9TEU7U6XYNYTAjqFD7MLFYTdkEnYy4bO7BLMz9WXXkh1HJNiFmBXd1IToZKgU3YPDRBcAVHlBrVDehEnlSekp71OX8twwL69BweXRoeWF"
            + "EMubmkd5IjMVvHtCCJ4nUPAaQid4bF2CF6EevJkoB0/KDd4pDJ5lInhloCKPbSAv+hJ58/mQJyGMkPezTp5laPIq5ZJH6pC84IQgb6Ks8SSIw3gPJTSeH2a8"
            + "UlDGo8UfLxjj8YYSOp5MyfEewTGex1Pi9RWCeCQiiRf+iDcOEvGkpi7eY2rxHJaK1wgUjxXihZDr3lgm3BO76N7duedW5F7D77Hoe1HRe8PgPQlx76fLnssJ"
            + "9loW2SO5Yy94EXtDD7cngWh7D+G154hAeyUz7NHyqhckCvXmJNUTf+o9hqSeK/h6Jd/1SEOtFy1Zb0Ye9aRFRe8WBnp2nehVHIYeGxV6ES6nN1PB9KSmpXd2"
            + "SM9CFfR6cYXHkkJ4IUXhDcmEJ6yE9+DDcyBxeA2DHqgSgCCJHfvsd7J2SUoPEngKstwHfZA4xBfWAQKHjAzqPX6QcHw/CJspIkEpCv2GP4atlbMwVAI8NgfH"
            + "AkFlhu1s5jMLLbNl2mn99NYedd/41vwd/ge9Ht1sNMN4CnjaiP8UkTnbH9uVBT1UuwVvm9X/cwVHtyXRC+F/qY0s5LVB77kuUmuiwXsXUdr2iYAHBiGpRMDP"
            + "TWEwkeHoG1vmZc8vKFpm7YK08r8R/coMFgFFqgN9mkYEzAKAwb8Bcr1LTbp5tFjDslGwfEthEuFvCggIWMiJyJgh2tK2ruENyeTsFyk0oFh8eXFIwuReDdp/"
            + "m3w/xkyaqUMc4QxNhSBPrSDi/+I/Rb1O0vrlopkZ8dfcEGzvLJzFHGaFCFch6VDPvx2Mz5Bcdn4OmXKdslw2uaOeDK8cXuQ4fMpv8tG5jbPoGsmUoimFMDJy"
            + "SRiToDh4GEmw2QAZ7Y7sr6JjAqOoRz4TT8DWXUYEnB/4K9waNSoQcp4crHYPIwE38hCU4sjpHAh6m+yQUtH00zR3FAuQJZQpMTTbA45B6qIeYxqRARmObRbS"
            + "dIpoYLDFerMObNY7RA2iI60XK7KBVD/J8yDzyf4X5vzlJDCTigngZbxCDxhv0HXxBDos3j+3ijufA4p7nmcTZ4pTgf64b4cL2PDPmAa5r0jp8ltD+U1sOHmF"
            + "zsC0Ayqt/iRcVQ==",
            12330, "1882a6398ce1a2dbaec7c760a304644b2290a8aaa128bea273453cc82d809846"),
        ("text in a window without a size",
            "KLUv/QAQLBoA1i5hFZBb2kDLZjtq7McioS25ZcproZ5dQGMAVgBZAEKsTBJumSNql55vs+KGKWIQmSWMrlozTh6jG1VazO1SRK8sIdXywqWWJOpyhFR6tLiO"
            + "wYpBZRRhR8USVXNe/CaSoOpwxJxpYSorWgChCAkQWGBIeHA4IACQhgCBA4QCBYOCgVOnCLr4Z4k5Ou+6OekfPkduPU0lZ4t+RDGiQSz5GPG/i0h14tSI6PsQ"
            + "axsmig0rsUSIH9cNiehjOFZkQ/umhu18KINMwzrrDO/WQ7LXDS3obsawmZkPHb7RMUgXG5wZtBj2W42hQRHlGSxxD746SHclgzPmZ/TZDGNtm1HKWDduPBnp"
            + "jGOjz8aKUXrFmo9RfM2K1PEqziB60dahYseYopSLNb0WL2dSpKqzj5oh+2gPDgcEADfVKUXe0SnvX6akcz197ai+y7LaxiWRkV3O2XXpKXFZ2w0aNvntLccv"
            + "fS5bFY/avWzELlaxyA0ZJnJC05HSvmOvHdejH2luaI6eGT627kVyAYElqHFQiq1b/wwxBoUQJFU9EWCIMMUEXefq24WtIsdM+hJ04UDf+yPuYkVWwbwmH6PT"
            + "Ko2v+dOqDl/TpdX7vYaiVYjlObgkqEKaj0oyehhKUfq5zN+aRxJDcgqsc+vKhWK809k3Do5tl9vq5fmjg+nleCJNT21iyU5P4bCEmZ4ewhLvABysf2YWB6yn"
            + "mWX96k+ZxX11slFer/41InlpAMarazJK29VVMHrS1aOLMkXyL0z0XGytVTIG1az+clkkVg+YPgDF5MRtt6o/BLoSg5hVStXwe9ym22CcBNFScHhEgBA/D3lh"
            + "iMgozrLHsanViBbdtICZRMhLMsme7tiry0wco/rV8rhBvQ+1e9OVYWaSzu8gWnTLK5GzjaTWkMmsjOh5REpTJhI3f3HqDQCoYsdBcU3UQQxzipCK7SIjaFZW"
            + "RfPyEB2lgBkYxIj6mZaK7aICZPRYTNMgerCcDCiPFW1/xFjxukVerIg+aaAvIyti6Dow7tpgIgS8M2UC24lxyFzlVZDQYGVeDVfmf2X9cJWSy5KUmlEKv+tM"
            + "HtTkHymTzv7x7Ph94yjjzz6CU44fbjCVF3k9a4crS0+3C3YVdBcA5qI/CbDrJKEksTKsaD8APQA5ABc190YbRRiTaiwO48hrHNqRYzZT05gZgTUdkjE5yhAq"
            + "wigbliXQ3ZQwFtMSepQSJI5EYIVuyqxFMQlBgjdCOBZU1zbIl42BNhJP8bjFuDH0+Nh11lEUnVDmznpxMr9h8T6761ixhowyCIvVmxiHN7wqXg6BRhQSHYkt"
            + "ggRzJYeV5BrhVBYZ7iwDl5Av74PIXurnor8G2lUf4iryQFf2w1TKhz5nNtUNJMNwaMeEg9xhcmBwuaPPDm3zIvRVTXcmbVFBlz0lm29orppZ2nluzDPVcZZq"
            + "zNe7Hj3kqo+U+vGm33ai9Ov82Bu9cifPmByBM6ixVG7rAYYThBT7EXAQAREQ40HrdSoke6cFV7hMF/fe8d6IuStsiVgHDBe4S7rSdiwZMeM9MRLLOZ0uWiEk"
            + "LTuxGp4TwUh0GaVWsE8sz3Q89SZWPgTnt0p6Be29xD4Id0WuskemBSjqjz9V+VtoabHW0LxjSJCsim1BLlRZ/uVbpw4PWmXChfhXLOWhu8Drb2i34NgvjGqB"
            + "lt8rjGWlyEJZwIzCaSTHnspOC1FwTLCFpY/un5QPM6zaA73XGqZkFy4zni18Y7HfV5mvoFmptFieSH0SSy0edMfINIroMrDYoVcxz2qmhqQpVixPnAj3o7Ug"
            + "e5l5bI1sKRPKXa06g9B/2O2D22HTB18qGf/nRTWoiAQrN5hMYWcV6wwuJwwHZn4J3JEVJD1YR8HGYAkKNnoJUJBswTpn4RQEEyycYKTA+tXjJWgfsHcpgmEu"
            + "xdDiWWv1a71MeBDllhaov68pgRv0tTzgwXwFJwN2xtdwMmD3Xl8BT/YaFHBSr/sUfgQ05zUPcKe88jc88oK2XukLta5B0iT/rzxLVDx+JBXrfUiHv0pdh2Hh"
            + "D5bt+ynoGhhH7NyF9hwtulm7H01zDRZqJg3pQwdGKhglfmLB55dp9D7J0DuS0+23wfOLUbZlPkgCMxPEHTl0uMDFHEIgZBQAJulKCbDrFC2J4EkqHkoARgBE"
            + "AHVX0XWOEPMRKsh4BCrKEeao4gj3jNUxY61GiTJSlIyzjJFDG0lHY02MEhbGGF5pVFZKSMtJVXaOyjoO7bIly4tKWRUlo64sqEUKfYpRJS7D+8xbJSdFeNEE"
            + "5/VkEpO/qUxbyQySbHLd8hUpC0tk6oU89MWUWkzXmKZioVEcwokHzjF+lrjSiEvkbm7spr0rA3UtZKxrmLCjho+eM6NbKQ0V1w3NeCANckH3m6eyrzNJs4XN"
            + "fCLPMZREZQaSmD8pizvrZYi+Y/Pyw5jx4bhL/MeltUck0qNcVze0mova16uJm6rOvsw2Y9k3ZNvV2BW3fQvtKWyxXo2dmupAZkUdRm46TCV34OwgXcqiB+Vq"
            + "o622ax1jVTeE6umpJQKBIKiRKGnXAeHGSDAz9RFQDCIkxGXMvQF8NVD4F4OpdIhOL5YTAXkMpak2jAHn0C24pfeF1dEydlq3CT3GZjwlGcP2MVZ33mwu5hP/"
            + "UTMSCOW43a3k77fNffCXM9D//p1l3RcUdV1cdhXHKrmcOsMYFoyDBPwPs4HmxUBVbHWMuRdSm2ZLCwxzuJiRiNVaUGsA6YLwQl+53AVzjLAlr7THGJyHruIs"
            + "B4ZtywJzh5x6nBcz1zGLXQ9D8Mhel9o3JGnVG+j66gyBXumrD489YzhVXzblxVBSracynNAwKiz0QhBezEiw8Xhgme/VffMfh3QIT1X1UwwPx4AwaquUnxjW"
            + "qMXG4XLyJ5afexJzREfXtokh5Hap8HcwqwlKsPhMbX2YIqZ2hpjwhpTFKz6UatOfF/Tgcs5PTx/6CgohkCQmlxEbq3CnxAwQTcT6vG4VTPljDbfAmHcVsRpt"
            + "ghABAZ0PAEafOQuwVQcihOkePrg8JTYANAA1AMd1cmmVK6V8JgeSksMQl4PMJIcQ1sjBaChyKLIhh+viZRpPYmxUFkdsx6w4PHGgm1gR33ecXhJlv9D+K9KH"
            + "uTsfRD75EBV/ydFTU3qKSF8bXW82PSTR0w5NoWWOWjLM5mA0q880d475iAm8d7aR1DYKbRmzx6bsxlZkWzx2a7FHKuzaxlpbjXWn1SOtuuy1fVRPLSJSVyVq"
            + "sbk/or7wA+Cux7OrO9RHNycX9/V2IrIX0fr1mvcegozTgxUpPdSV0cPRm3K65GU1fm3xmniYeMMDjfAIgNLoYDOSJB0RQAwiIEIUGtXU4xggQKnyY6hyaoq1"
            + "gIWv/JFlcI0oZdb28JaKfuH43Q/dv8t5/hQIUmZQuDTHiREGtSDTxGQBOA7AwEhYXyWlWt7svgjN+OAUMQApnEWsBcNJBc9NKecltnFPD3KiDpM4fmJrKnwj"
            + "kz/2sLlQMCy2Sry0TUwyv3C3E0qDHEGlWHJmfFqY3RQj6AASn0WfulH18BoUm2DhMG6iVFFsSxdGCDA5P5MZGKMY3cy/KJ6WG8z4XgJWmBFJsb5YLE1wnBZL"
            + "AXWSBaiABCwW+n65O2qoAgyaHJ+BjLHsyiZRBeliMmTIZuyLgfx5EcvrAzB8jNw0w1gfk11MIFY=",
            15444, "773d723c6913b1d8fab60b23c92b7ca0fcf6cf6baa30fbf6e1a25ae63c30c559"),
        ("one byte again and again",
            "KLUv/aBAQg8AVAAAEGFhAQD7/znAAgIAEGECABBhAgAQYQIAEGECABBhAgAQYQMSCmE=",
            1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ("noise",
            "KLUv/WC8AeEVANwEZaofrR1a2uWsGx5fE3B5bP0Q/xmvYB0ErLQdAitGeHM68t9frrcIWdHuORDLSJW1zIkpEf8GtmIu3zz5Nf1LlCjKCXxEswJell+z6m2s"
            + "1C2Bbmmv4OaHTJwE59I2XSxgyer0efaGoOuTJuRiEtUNy7N3FWpqOmi6jtt0CEae886zCvjQ3Wi7+F/6JPLS/BiH+1yHurQ4MqWbGz0QfPd41n/ibfgRkSl+"
            + "k5XLEsVXzlrx1BYY1xm8BFt+mWXxopRxxCqsaqk4xHXHrTI4Ah8FOyyZGvzrFd7PaLrgfLzWHpcbmgudvpdj05L8r9+ijJcjRWLr3QdlcP9YiWrP98ruPxzp"
            + "5Apo5d6TjTicfb3XWwnU5+IzRD9KjMShkNa4uNxhX9GOKL5ZDqpQG1CKajYp5nDfVXe63ERtQ7upCBfWwPZ7CGFw2S3JEnJbJH7C4tqxsgSeIIB0N5pvkAzd"
            + "Ll5y9QlItljRl+nDjLFu090SRGIyDBSnrz/6DN7WE84ThstXoEfkW77RRbQ21Yj+0gBB8oexD4NfdGW6KEYWUt+IohPZv0LvtxG13gd/yXm646hYSqnoLahN"
            + "UJ3mmGviqZrPIUxmKozVkBE3mGeJu63zUY0TrfUcoQGUrLCEbPWK9Sp6kfXzqy+GMrqBRSA9w2cUiHp1kMhjxwfgHsJwA5rRixY/JPbD3ivvXVrR5nYTecpC"
            + "FrkQqgXZgzDHCs+F8GbL7O+siUz6tx8YusM037ZgSrKAMs05oW7flEQU4fOm7MH0OUMGwJtineM602Hvw1Nr0E+WH+5NvfMFLZf+xNGbRSe0osSU2GQ+uHG5"
            + "xB9TiwiVHJ5fQCH/l3oaTX9wjKsvfPqAG0LK9duM+Sy45n5B9vl/AeSoNm2k7KLtunDtVFfroJdjQYlNTVlo5pK8XKsO8xB5Bp2lPfFSXS4=",
            700, "e62e3c2df516227d1ef0db5c462cc02ebb92eaf1edaa398a0e6d3f10d9eb3bfe"),
        ("text of several blocks",
            "KLUv/aCIcgUAzAwAVpw9FaBbOgRdbXUtVGGy95YyybQp64rVGD8AMwA1AEVR7Yju2511NxQVLTNLCVlJXmOCo7xWrBoakcjf+epsOMUz/a5sAcQERYDAAkPC"
            + "g8MBAYBoCBA4QChQMCgYCHPiCZoMr1gPjyhGeadb3rCDPFO0mOyVhXiC5PeK46UjVmtId9I9oxu+kOrMIXelO8GWLlS+8oN8gkPGV/TF+Igd1+wUNBu6oz4z"
            + "6zKzUrR0aCZYyP1ZkZQxM+Jw69lZYzakKjPzxSsDZRChmTXzQSuJdIomeBImWnHKaUSXoZ0lpg3FKM100crW6RMUPflK0IyPiFzfXaVvxmdSeaghMIwa0vtn"
            + "UKNIOgcSQBC4De32/v//b/r4/E4WVNS5n2YP2lF9VXubqntzfX7cQA8juJcmAzQM9EVa6Jwnurp4ZCzzegQWEkM0UzMG5WAs8/Js3zxRLhg+wHNa4LExCOzL"
            + "EB/TrTBzO75riQn+YgyZWJGBOnb+o0rClBcoqN7ZTUhqMSPkuu6D7lh3g83YiAzRTWT2Rh50HFQrhZ3JqkwAAAhnAQD8/zkQAk0AAAhvAQCEcjkQAg==",
            357000, "c9d4a1dec19cba17543d57241d6d6e91315a8c4ba84f541ce63318d9bb6ce524"),
        ("nothing",
            "KLUv/SAAAQAA",
            0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("few different bytes",
            "KLUv/WC4ChUfAMYQFAXgD2lACBEAEQARAI+GLBMJp15RFPs6NhHvpLVBnaLicb8j29iI5CWfDKz2l2IJ0Q7HHtT5vWsd1f2Xdcf6erCSYhV+QW5Zg/Frgqa2"
            + "P1dHgfmowaqSFJSycyEECMNgoLVeDxHwZPTqD2oAGh3s4pgkiYm2GUJrLYyoIGdAUP/KTkhHFRHU4iwPqXf4ONp3Pa3q5BWcoXd49IVqaNSZxwqG/Ua1q4JK"
            + "PNWsAQ++607ReC08ln6GZihviWUsWEpK2KesDQqZm/wH7OIE03CDkrLEoh/Og5E7+GJmluXpFW/OS4lhtixG9tqppFAi4o0K+6kj7VtSdPHJCUXJ4E7qD3yT"
            + "5AUjakntM20cEqENEbgGIlDpZxNOeYSjT4JYgxTAitEZQjdxJSMqkg1xJIoQqqWrWVgE1Hu8v9OYvDUQZvIsYERFAeZOh+sSNQSWOO2MprrMlSJ1XJUflZ/h"
            + "rWzFFYZRHcDtFPdHGrEfX3UyQIjJXQ6sowcPcJ8+wae3lEC06BZfU9fKoscRIebAJJ4GM+wlKAu4k3yo+jHnhlzzayxGRNiZhcV0OVsZRVISaxBgsLlwzDQE"
            + "ve+7z+Gi9TpDRg/8EYNMSt6WusRRSJ/4wQNnDNTxmKRw/1dqzsY3h/uFkQyAJ1vNql1taHDSx+IlRxl0kAsaJmYFLU0nbmeQhUvP3tRMBhuHRyMNJBg0R8Dn"
            + "OT9dypL+kur3zNnE/2mfdpfl0rapYJCgWPqvZMMjeiNGhoo430xpPWSmfm4AZpZbQqaLhqKnlMQLbylvpuMW+oXM/0jEymlNXcOB535Zw/pW3EOQr1eG1gGs"
            + "fS3bYn1Zg6kAYZw4SP07Ar1KF66j7se5qBhTUqnBGOgsHcOEtMqHY9NG44jHjwKxkPhHIND26+NQLBaETyOJTykGXvnA2/TXYHEmIZA6FmIwSBpEuSb3Q2MN"
            + "b0amKsUetQcYJuDSKt/tlu8YahCgAKI7l5jqwG4eCki0+A4gW1bdLAHflT+WW8nWpNoqj9PHgtJnoot1bbzImxqObcxBkpIMxcFW1bpyxVl7oARAfc4baDTU"
            + "tYQMCD0LzUrBIfEXlED4Ypl/3NIP4IpfRXo6KBL4HhT8AG2QHWRW98v47xkhDwcpivzbpeV4z+IDwOnciRXYGbJ9BovYLWCmfrNudJNlrwuetobcF/Gl1Jjw"
            + "IEh/xkAmJymf9s+RM7n5KNY+jlC6JcPRG0ki4USoFQRFlm13Lxis8G7FSlmS+7c6XSClgSPxTlKklwSpWrbcnDfp5/DiUpez2m+F38Ro38Cd1Ddrt6JLwetL"
            + "rRotDendlBH35WZAUAU=",
            3000, "d9aaa634c5eccbf032b7527c972d6a82b93d537e3899b35664f3906528d4154b"),
        ("two frames and one to skip",
            "KLUv/WBDAe0FADJKGxmQpWkDCKAa/W+fqPF+2CZksrt330HqqQUHRL5nPFZ5zWdUxlu2LPiS6+i96R0/X/Tg3zPd/pp/esvzeZacL6V3MTQ6NtKwaMS6nu/I"
            + "ajZ8tVxJJZO9909Mx1McAQKHAoKEQMxAcSQGBKCADAImIDDDGe0BezDFHky5YeDlb2CVOE2RCyh79J3BTPa8WkYb2RzqMtoHcfg3xEanZDC40Tc22saMtnGj"
            + "N2a0jdXovzGjNzPvFozqZvtW8VAqTRgEAAAAYWJjZCi1L/1gcgI9BwDiTCAYkCnpwFvD30+0IONE23tLKWWSdzBd16UERTldKnIy/HFaZ9xZve+keti43H66"
            + "hZxTUnVeR5XzEbE6jSrkzJfsN6cu5nXOpvUum1XfpI7HhW8xIXRJ3eB0lDpe78hoNXuxWmcilcr5vkzXLobTKRgKDAYSEBIAxRwUDAkBBEEA4hBBqGFIkoLs"
            + "/hkgQxEpHxAocYj1ggTL6Rm20DSSqW6MeYCx2+Y2DbxXmckVMb2MHa/ueMbqwybXLXh/WyrQy3CKNMrzVmtCqT2MIOnVx7WDzY0kQ1IO3lhwgN38J5IFQxB7"
            + "OFU=",
            1461, "f312167f1a2c4795171aad1dd2bd2f6a5b21301504c2f39a4158594ed71c5165"),
    ];

    public static TheoryData<string> Names => [.. Frames.Select(frame => frame.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_frame_unpacks_to_what_went_in(string name)
    {
        var (_, packed, length, digest) = Frames.First(frame => frame.Name == name);
        await using var stream = new ZstdStream(new MemoryStream(Convert.FromBase64String(packed)));
        using var unpacked = new MemoryStream();
        await stream.CopyToAsync(unpacked, TestContext.Current.CancellationToken);
        Assert.Equal(length, unpacked.Length);
        Assert.Equal(digest, Convert.ToHexStringLower(SHA256.HashData(unpacked.ToArray())));
    }

    [Fact]
    public async Task Damaged_frames_end_in_an_error_or_in_other_bytes_and_never_hang()
    {
        var random = new Random(20261122);
        using var clock = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        clock.CancelAfter(TimeSpan.FromSeconds(60));
        for (var round = 0; round < 2000; round++)
        {
            var bytes = Convert.FromBase64String(Frames[round % Frames.Length].Packed);
            for (var i = random.Next(1, 4); i > 0 && bytes.Length > 4; i--) bytes[random.Next(4, bytes.Length)] = (byte)random.Next(256);
            try
            {
                await using var stream = new ZstdStream(new MemoryStream(bytes));
                var buffer = new byte[65536];
                long total = 0;
                while (await stream.ReadAsync(buffer, clock.Token) is var read and > 0 && total < 8 << 20) total += read;
            }
            catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
            {
                Assert.NotEmpty(e.Message);
            }
        }
    }
}
