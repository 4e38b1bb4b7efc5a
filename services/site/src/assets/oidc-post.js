/** Posts the answer to the client; the button is for browsers that run no scripts. */
document.forms[0].submit();
